#!/usr/bin/env bash
# All tests of the default build, with cargo-nextest where present. Ends with a line that says how many tests ran on which
# adapters, and says loudly which kinds of test did not run.
#   FRAMELOOM_ADAPTER=WHICH    only this adapter        FRAMELOOM_REQUIRE_GPU=1   fail without a hardware GPU
#   FRAMELOOM_TESTDATA=DIR     also test on real videos
set -euo pipefail
cd "$(dirname "$0")/.."
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"
FRAMELOOM_TRIALS="$(mktemp)"
export FRAMELOOM_TRIALS
log="$(mktemp)"
trap 'rm -f "$FRAMELOOM_TRIALS" "$log"' EXIT

status=0
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --locked --no-fail-fast --status-level retry --final-status-level flaky -E 'not (kind(lib) | binary(ops))' 2>&1 |
    tee "$log" || status=$?
  # Those of the library and of operations are many and short: in a process each, starting it would take most of their time.
  cargo test --locked --no-fail-fast -q --lib --test ops || status=$?
else
  cargo test --locked --no-fail-fast -q || status=$?
fi
flaky="$(grep -E '^ *FLAKY ' "$log" | sed -E 's/^ *FLAKY [0-9/]+ \[[^]]*\] *(\([^)]*\))? *//' | sort -u || true)"
[ -z "$flaky" ] || printf '\nNOTE: FLAKY, passed only the second time:\n%s\n' "$flaky"

echo
if [ -s "$FRAMELOOM_TRIALS" ]; then
  cut -f2- "$FRAMELOOM_TRIALS" | sort | uniq -c | while read -r count adapter; do
    echo "GPU TRIALS: $count on $adapter"
  done
  grep -q -v 'software$' "$FRAMELOOM_TRIALS" || echo "NOTE: no hardware GPU took part; everything ran on a software adapter."
else
  echo "NOTE: GPU TRIALS: 0. No adapter was tested."
fi
[ -n "${FRAMELOOM_TESTDATA:-}" ] ||
  echo "NOTE: tests on real videos did NOT run (set FRAMELOOM_TESTDATA to the folder that holds them)."
exit $status
