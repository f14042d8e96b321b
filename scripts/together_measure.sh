#!/usr/bin/env bash
# What it saves that steps on one video decode it once: `analyze`, `heatmap` and `track` of one pipeline, side by side and one by one in turns, on
# 1080p H.264; medians of wall and processor time. usage: scripts/together_measure.sh FRAMELOOM [VIDEO] [ROUNDS=5]
set -euo pipefail
bin=$(realpath "$1") video=${2:-} rounds=${3:-5}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ -z "$video" ]; then
  video="$folder/clip.mp4"
  "$(dirname "$0")/hd_clip.sh" "$video"
fi
cat >"$folder/p.yaml" <<YAML
vars: {clip: "$(realpath "$video")"}
steps:
  - {name: measure, run: analyze, input: "\${vars.clip}"}
  - {name: heat, run: heatmap, input: "\${vars.clip}"}
  - {name: tracks, run: track, input: "\${vars.clip}"}
YAML
TIMEFORMAT='%R %U %S'
once() { { time "$bin" run "$folder/p.yaml" -o "$folder/out" --restart --quiet "${@:2}" >/dev/null 2>&1; } 2>>"$folder/$1"; }
for _ in $(seq "$rounds"); do
  once together
  once apart --one-by-one
done
median() { awk "{ print $2 }" "$folder/$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
for what in "wall" "processor"; do
  [ "$what" = wall ] && sum='$1' || sum='$2 + $3'
  a=$(median together "$sum") b=$(median apart "$sum")
  awk -v w="$what" -v a="$a" -v b="$b" 'BEGIN { printf "%s: %.1f s together, %.1f s one by one: %.0f %%\n", w, a, b, 100 * a / b }'
done
