#!/usr/bin/env python3
"""What OpenCV and NumPy do instead of `frameloom curate analyze`: the same formulas, frame by frame, at full size.

Complexity (Canny 50/150, different colours, contrast), lighting (HSV value, 32x32 patches), occlusion (20 pixels along the border), sharpness
(Laplacian), noise (5x5 Gaussian), quality, written from their description. Colours are counted as NumPy does it, by sorting.

    pip install opencv-python-headless numpy
    curate_baseline.py FRAMES [--repeat 3] [--decoded]   frames a second; --decoded leaves decoding out
    curate_baseline.py FRAMES --json                     the figures of each frame, for comparison
"""

import argparse
import json
import pathlib
import sys
import time

import cv2
import numpy as np

BORDER = 20
PATCH = 32


def figures(image):
    height, width = image.shape[:2]
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    edges = cv2.Canny(gray, 50, 150)
    value = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)[:, :, 2]
    colors = len(np.unique(image.reshape(-1, 3), axis=0))
    complexity = 0.4 * np.mean(edges > 0) + 0.3 * min(colors / (0.1 * width * height), 1) + 0.3 * np.std(gray) / 128

    dark, bright = np.mean(value < 64), np.mean(value >= 192)
    distribution = 0.3 if dark > 0.5 or bright > 0.5 else 1 - (dark + bright)
    rows, columns = range(0, height - PATCH, PATCH), range(0, width - PATCH, PATCH)
    patches = [np.std(value[i : i + PATCH, j : j + PATCH]) for i in rows for j in columns]
    evenness = 1 - min(np.mean(patches) / 128, 1) if patches else float("nan")
    exposure = 1.0 if 0.3 < np.mean(value) / 255 < 0.7 else 0.5
    lighting = 0.4 * distribution + 0.3 * evenness + 0.3 * exposure

    def border(plane):
        strips = plane[:BORDER], plane[-BORDER:], plane[:, :BORDER], plane[:, -BORDER:]
        return np.concatenate([s.ravel() for s in strips])

    level = np.sum(border(edges).astype(np.float64)) / (2 * (height + width) * BORDER)
    occlusion = 0.5 * np.std(border(gray)) / 128 + 0.5 * level

    sharpness = min(cv2.Laplacian(gray, cv2.CV_64F).var() / 1000, 1)
    residual = np.mean(np.abs(gray.astype(np.float64) - cv2.GaussianBlur(gray, (5, 5), 0).astype(np.float64)))
    noise = 1 - min(10 * residual / 255, 1)
    quality = 0.5 * sharpness + 0.3 * noise + 0.2 * min(width * height / (512 * 512), 1)
    clip = lambda v: float(np.clip(v, 0, 1))
    return {
        "complexity": clip(complexity),
        "lighting": clip(lighting),
        "occlusion": clip(occlusion),
        "quality": clip(quality),
        "sharpness": clip(sharpness),
        "contrast": float(np.std(gray) / 128),
        "brightness": float(np.mean(gray) / 255),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=pathlib.Path, help="folder of pictures")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--decoded", action="store_true", help="time the figures alone, without decoding")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    paths = sorted(p for p in options.frames.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        sys.exit(f"no pictures in {options.frames}")
    if options.json:
        json.dump({p.name: figures(cv2.imread(str(p))) for p in paths}, sys.stdout, indent=1)
        return
    held = [cv2.imread(str(p)) for p in paths] if options.decoded else None
    for _ in range(options.repeat):
        started = time.perf_counter()
        for i, path in enumerate(paths):
            figures(held[i] if held else cv2.imread(str(path)))
        seconds = time.perf_counter() - started
        print(f"{len(paths)} frames, {seconds:.3f} s, {len(paths) / seconds:.3f} frames/s", flush=True)


if __name__ == "__main__":
    main()
