#!/usr/bin/env bash
# Every benchmark and every peer, in turns, into one Markdown report: benches/reports/DATE-ADAPTER.md
#   make bench                           about half an hour on 2 cores after the build; keep the machine quiet meanwhile
#   FRAMELOOM_BENCH_SMALL=1 make bench   a minute: checks that all of it runs; the report goes to target/, its figures mean nothing
#   VIDEO=a.mp4 PICTURES=folder          what is read; without them a clip and pictures are made
#   FRAMELOOM_PYTHON=python              with OpenCV, NumPy and FAISS; peers that are not there are named as not run
#   FRAMELOOM_MODELS=DIR MODEL=NAME      the pipeline of a detector too
#   FRAMELOOM_ADAPTER=WHICH              as --device
set -euo pipefail
cd "$(dirname "$0")/.."
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"
FRAMELOOM_COMMIT="$(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
export FRAMELOOM_COMMIT

small="${FRAMELOOM_BENCH_SMALL:-0}"
profile=release
[ "$small" != 1 ] || profile=dev
benches=(--bench ops --bench upload --bench index --bench pool --bench isolate --bench models)
cargo build --locked --profile "$profile" --bin frameloom
# Benches of the profile `dev` are those that the tests have built.
programs="$(mktemp)"
trap 'rm -f "$programs"' EXIT
bench_profile=bench
[ "$small" != 1 ] || bench_profile=dev
cargo bench --locked --no-run --message-format=json --profile "$bench_profile" "${benches[@]}" >"$programs"
python3 scripts/bench_report.py --programs "$programs" --profile "$profile" "$@"
