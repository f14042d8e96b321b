#!/usr/bin/env python3
"""What OpenCV, numpy, multiprocessing and FAISS do instead of `frameloom index build` and the matching of `frameloom collage`.

The same steps as the workflow's `canny` descriptor in the layout of 128 / 32 / 216 numbers, written from its description: decode, centre
crop to 16:9, area resize to 256x144, Canny orientations of 4x4 cells, histogram of gradient magnitudes, HSV histogram, parts of unit length
scaled by roots of weights. JPEGs are decoded at full size, as `cv2.imread` does by default; --reduced uses its scaled decoding.

    pip install opencv-python-headless numpy faiss-cpu
    collage_baseline.py build FOLDER [--workers 2] [--reduced]
    collage_baseline.py search --vectors 100000 --dim 376 --queries 720 [--batch 64]
"""

import argparse
import json
import multiprocessing
import os
import time

import cv2
import numpy as np

SMALL = (256, 144)
WEIGHTS = (0.33, 0.33, 0.34)


def crop(image):
    height, width = image.shape[:2]
    ratio = 16 / 9
    if abs(width / height - ratio) < 0.01:
        return image
    if width / height > ratio:
        cut = int(height * ratio)
        left = (width - cut) // 2
        return image[:, left : left + cut]
    cut = int(width / ratio)
    top = (height - cut) // 2
    return image[top : top + cut]


def unit(part):
    length = np.linalg.norm(part)
    return part / length if length > 0 else part


def describe(image):
    small = cv2.resize(crop(image), SMALL, interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    edges = cv2.Canny(gray, 50, 150)
    gx = cv2.Sobel(gray, cv2.CV_32F, 1, 0)
    gy = cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    bins = (np.floor(np.arctan2(gy, gx) % np.pi * 8 / np.pi + 0.5) % 8).astype(np.int32)
    rows = np.arange(SMALL[1])[:, None] * 4 // SMALL[1]
    columns = np.arange(SMALL[0])[None, :] * 4 // SMALL[0]
    index = ((rows * 4 + columns) * 8 + bins)[edges > 0]
    edge = np.bincount(index.ravel(), minlength=128).astype(np.float32)
    magnitude = cv2.magnitude(gx, gy)
    magnitude *= 255.0 / max(float(magnitude.max()), 1e-9)
    texture = cv2.calcHist([magnitude], [0], None, [32], [0, 256]).ravel()
    hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
    color = cv2.calcHist([hsv], [0, 1, 2], None, [6, 6, 6], [0, 180, 0, 256, 0, 256]).ravel()
    parts = [unit(p) * w**0.5 for p, w in zip((edge, texture, color), WEIGHTS)]
    return unit(np.concatenate(parts)).astype(np.float32)


def one(task):
    path, flag = task
    image = cv2.imread(path, flag)
    return None if image is None else describe(image)


def start():
    cv2.setNumThreads(1)


def build(args):
    paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(args.folder) for name in names)
    flag = cv2.IMREAD_REDUCED_COLOR_4 if args.reduced else cv2.IMREAD_COLOR
    began = time.perf_counter()
    with multiprocessing.Pool(args.workers, start) as pool:
        rows = [r for r in pool.imap(one, ((p, flag) for p in paths), chunksize=16) if r is not None]
    seconds = time.perf_counter() - began
    print(json.dumps({"pictures": len(rows), "seconds": seconds, "per_second": len(rows) / seconds}))


def search(args):
    import faiss

    random = np.random.default_rng(1)
    vectors = random.standard_normal((args.vectors, args.dim), dtype=np.float32)
    faiss.normalize_L2(vectors)
    queries = vectors[: args.queries].copy()
    index = faiss.IndexFlatIP(args.dim)
    index.add(vectors)
    index.search(queries[: args.batch], 10)
    began = time.perf_counter()
    for first in range(0, args.queries, args.batch):
        index.search(queries[first : first + args.batch], 10)
    millis = (time.perf_counter() - began) * 1000 / args.queries
    print(json.dumps({"vectors": args.vectors, "dim": args.dim, "batch": args.batch, "millis_per_query": millis}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("build")
    command.add_argument("folder")
    command.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    command.add_argument("--reduced", action="store_true")
    command.set_defaults(run=build)
    command = commands.add_parser("search")
    command.add_argument("--vectors", type=int, default=100_000)
    command.add_argument("--dim", type=int, default=376)
    command.add_argument("--queries", type=int, default=720)
    command.add_argument("--batch", type=int, default=64)
    command.set_defaults(run=search)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
