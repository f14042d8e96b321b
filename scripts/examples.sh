#!/usr/bin/env bash
# Runs every example without arguments and fails at the first one that fails or prints nothing.
# An example without an entry in Cargo.toml, or an entry without a file, is a failure too.
set -euo pipefail
cd "$(dirname "$0")/.."

files=$(cd examples && ls -- *.rs | sed 's/\.rs$//')
entries=$(sed -n '/^\[\[example\]\]/{n;s/^name = "\(.*\)"$/\1/p}' Cargo.toml | sort)
if [ "$files" != "$entries" ]; then
  echo "examples: the files in examples/ and the [[example]] entries of Cargo.toml differ:" >&2
  diff <(echo "$files") <(echo "$entries") >&2 || true
  exit 1
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cargo build --locked --examples
for name in $files; do
  echo "== example $name"
  if ! TMPDIR="$out" timeout 120 cargo run --locked -q --example "$name" >"$out/stdout"; then
    cat "$out/stdout"
    echo "examples: $name FAILED" >&2
    exit 1
  fi
  cat "$out/stdout"
  [ -s "$out/stdout" ] || { echo "examples: $name printed nothing" >&2; exit 1; }
done
echo "== all examples ran: $(wc -w <<<"$files")"
