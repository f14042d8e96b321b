#!/usr/bin/env bash
# Runs every workflow on one clip and ends with the path of a page that leads to everything. All of it lands in out/demo.
#   make demo                              a rendered clip whose truth is known, and rendered pictures
#   make demo VIDEO=a.mp4 IMAGES=photos    your own, either or both
#   FRAMELOOM_MODELS=DIR make demo         with networks: lips, people, faces
set -euo pipefail
caller="$PWD"
cd "$(dirname "$0")/.."
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"

# What is given is as seen from where `make` was called.
given=()
for pair in "--video=${VIDEO:-}" "--images=${IMAGES:-}"; do
  path="${pair#*=}"
  [ -n "$path" ] || continue
  if [ ! -e "$path" ] && [ -e "$caller/$path" ]; then path="$caller/$path"; fi
  given+=("${pair%%=*}" "$path")
done

cargo build --locked --bin frameloom
target="${CARGO_TARGET_DIR:-target}/debug/frameloom"
"$target" doctor >&2
"$target" demo -o out/demo ${given[@]+"${given[@]}"}
