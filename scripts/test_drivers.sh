#!/usr/bin/env bash
# Tests of operations on drivers other than the default one.
#   scripts/test_drivers.sh swiftshader [FILTER]   SwiftShader; FRAMELOOM_SHAPES=reduced leaves a few shapes of the table
#   scripts/test_drivers.sh validation [FILTER]    the default driver under the Vulkan validation layer, which must report nothing
# Exit code 75: the driver or the layer could not be fetched, nothing was tested.
set -euo pipefail
cd "$(dirname "$0")/.."
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"
which="${1:-}"; filter="${2:-}"

trials() { # what ran where, from the file that every trial on an adapter appends to
  cut -f2- "$FRAMELOOM_TRIALS" | sort | uniq -c | while read -r count adapter; do echo "GPU TRIALS: $count on $adapter"; done
}
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export FRAMELOOM_TRIALS="$work/trials"
: >"$FRAMELOOM_TRIALS"

case "$which" in
  swiftshader)
    VK_DRIVER_FILES="$(./scripts/swiftshader.sh)" || exit 75
    export VK_DRIVER_FILES
    cargo test --locked --no-default-features --test ops -q -- $filter
    trials
    if grep -v -q -i swiftshader "$FRAMELOOM_TRIALS" || [ ! -s "$FRAMELOOM_TRIALS" ]; then
      echo "test_drivers: trials ran elsewhere than on SwiftShader, or not at all" >&2; exit 1
    fi ;;
  validation)
    layer="$PWD/runtime/validation"
    if [ ! -s "$layer/VkLayer_khronos_validation.json" ]; then
      chmod 755 "$work"
      (cd "$work" && apt-get download -qq vulkan-validationlayers >/dev/null 2>&1) ||
        { echo "test_drivers: cannot fetch the package vulkan-validationlayers (apt-get update?)" >&2; exit 75; }
      dpkg-deb -x "$work"/vulkan-validationlayers_*.deb "$work/x"
      mkdir -p "$layer"
      cp "$work"/x/usr/lib/*/libVkLayer_khronos_validation.so "$work/x/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json" "$layer/"
    fi
    printf 'khronos_validation.%s\n' 'debug_action = VK_DBG_LAYER_ACTION_LOG_MSG' 'report_flags = error,warn,perf' \
      "log_filename = $work/messages" >"$work/vk_layer_settings.txt"
    export VK_LAYER_PATH="$layer" LD_LIBRARY_PATH="$layer${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    export VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation VK_LAYER_SETTINGS_PATH="$work/vk_layer_settings.txt"
    # Debian's layer is older than the number that SPIR-V gave to WGSL as a source language: leave debug information out.
    export WGPU_DEBUG=0
    cargo test --locked --no-default-features --test ops -q -- $filter
    trials
    [ -e "$work/messages" ] || { echo "test_drivers: the validation layer was not loaded" >&2; exit 1; }
    if [ -s "$work/messages" ]; then
      sort "$work/messages" | uniq -c | sort -rn | head -40 >&2
      echo "test_drivers: the validation layer has something to say" >&2; exit 1
    fi
    echo "the validation layer reported nothing" ;;
  *) sed -n 2,6p "$0" >&2; exit 2 ;;
esac
