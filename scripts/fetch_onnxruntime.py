#!/usr/bin/env python3
"""Unpacks ONNX Runtime's shared library from its PyPI wheel (version and hash pinned) into a folder.

Usage: fetch_onnxruntime.py DIR
Does nothing when DIR already holds the pinned version. The wheel is only a carrier: no Python package is installed.
"""
import os
import platform
import subprocess
import sys
import tempfile
import zipfile

VERSION = "1.31.1"
WHEELS = {  # machine -> SHA-256 of the cp311 manylinux wheel
    "x86_64": "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
    "aarch64": "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3",
}
LIBRARY = f"libonnxruntime.so.{VERSION}"


def main() -> int:
    target = sys.argv[1]
    library = os.path.join(target, LIBRARY)
    link = os.path.join(target, "libonnxruntime.so")
    if os.path.exists(library) and os.path.exists(link):
        return 0
    machine = platform.machine()
    if machine not in WHEELS:
        print(f"setup: no pinned ONNX Runtime for {machine}; set ORT_DYLIB_PATH to your own build", file=sys.stderr)
        return 0
    print(f"setup: unpacking ONNX Runtime {VERSION} into {target}/", file=sys.stderr)
    with tempfile.TemporaryDirectory() as work:
        pins = os.path.join(work, "pins.txt")
        with open(pins, "w", encoding="ascii") as f:
            f.write(f"onnxruntime=={VERSION} --hash=sha256:{WHEELS[machine]}\n")
        platforms = [a for n in (28, 27, 17) for a in ("--platform", f"manylinux_2_{n}_{machine}")]
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--python-version",
                   "3.11", "--implementation", "cp", *platforms, "--require-hashes", "-r", pins, "-d", work]
        if subprocess.run(command, check=False).returncode != 0:
            print("setup: ONNX Runtime could not be fetched with pip (is python3-pip installed, is PyPI reachable?). "
                  "Commands that run models need it; everything else works without.", file=sys.stderr)
            return 1
        wheel = next(os.path.join(work, n) for n in os.listdir(work) if n.endswith(".whl"))
        os.makedirs(target, exist_ok=True)
        with zipfile.ZipFile(wheel) as z:
            for member, name in (
                (f"onnxruntime/capi/{LIBRARY}", LIBRARY),
                ("onnxruntime/LICENSE", "LICENSE.onnxruntime"),
                ("onnxruntime/ThirdPartyNotices.txt", "ThirdPartyNotices.onnxruntime.txt"),
            ):
                partial = os.path.join(target, f".{name}.tmp")
                with open(partial, "wb") as out:
                    out.write(z.read(member))
                os.replace(partial, os.path.join(target, name))
    if os.path.lexists(link):
        os.remove(link)
    os.symlink(LIBRARY, link)
    return 0


if __name__ == "__main__":
    sys.exit(main())
