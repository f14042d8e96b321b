#!/usr/bin/env bash
# Fetches a second, independent Vulkan driver for tests: SwiftShader, as Debian's `chromium-common` package holds it. Nothing is
# installed: driver and manifest are unpacked to runtime/swiftshader. Prints the manifest's path, for VK_DRIVER_FILES.
set -euo pipefail
cd "$(dirname "$0")/.."
to="$PWD/runtime/swiftshader"
if [ ! -s "$to/icd.json" ] || [ ! -s "$to/libvk_swiftshader.so" ]; then
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work" # apt reads as its own user
  fetch() { (cd "$work" && apt-get download -qq chromium-common >/dev/null 2>&1); }
  if ! fetch; then
    sudo=""; [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -qq >&2
    fetch || { echo "swiftshader: cannot fetch the package chromium-common" >&2; exit 1; }
  fi
  dpkg-deb -x "$work"/chromium-common_*.deb "$work/x"
  mkdir -p "$to"
  cp "$work/x/usr/lib/chromium/libvk_swiftshader.so" "$to/"
  # The manifest's relative path is resolved by some loaders against the working folder: name the driver absolutely.
  sed "s#\"library_path\": *\"[^\"]*\"#\"library_path\": \"$to/libvk_swiftshader.so\"#" \
    "$work/x/usr/lib/chromium/vk_swiftshader_icd.json" >"$to/icd.json"
fi
echo "$to/icd.json"
