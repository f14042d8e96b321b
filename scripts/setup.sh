#!/usr/bin/env bash
# Installs what Frameloom builds with and runs on: Debian / Ubuntu packages and ONNX Runtime's shared library.
# Idempotent; with nothing to do it takes well under a second. Needs root (or sudo) only when a package is missing.
#
#   FRAMELOOM_SKIP_APT=1   never touch system packages (they are only checked, what is missing is named)
#   FRAMELOOM_SKIP_ORT=1   do not fetch ONNX Runtime (commands that run models will say how to get it)
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  build-essential clang libclang-dev cmake pkg-config nasm     # C and C++ parts of the crates
  libopenblas-dev                                              # FAISS
  libavcodec-dev libavfilter-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev ffmpeg
  libvulkan1 mesa-vulkan-drivers                               # Vulkan loader; software adapter where there is no GPU
  python3 python3-pip ca-certificates                         # unpack the ONNX Runtime wheel
)

missing=()
for p in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
done

if [ ${#missing[@]} -gt 0 ]; then
  if [ "${FRAMELOOM_SKIP_APT:-0}" = 1 ]; then
    echo "setup: missing packages (not installed, FRAMELOOM_SKIP_APT=1): ${missing[*]}" >&2
  elif ! command -v apt-get >/dev/null; then
    echo "setup: this system has no apt-get; install the equivalents of: ${missing[*]}" >&2
    exit 1
  else
    sudo=""; [ "$(id -u)" = 0 ] || sudo="sudo"
    echo "setup: installing ${missing[*]}" >&2
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
fi

command -v cargo >/dev/null || { echo "setup: no cargo found; install Rust 1.95 or newer (https://rustup.rs)" >&2; exit 1; }

[ "${FRAMELOOM_SKIP_ORT:-0}" = 1 ] || python3 scripts/fetch_onnxruntime.py runtime
