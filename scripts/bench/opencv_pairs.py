#!/usr/bin/env python3
"""Interleaved A B A B: our luma statistics against OpenCV's usual recipe, our upload ring against write_buffer.

Usage: opencv_pairs.py PATH-OF-THE-PEER-BINARY [ROUNDS]
Needs opencv-python-headless and numpy. Prints medians and ratios as Markdown, with the load of the machine.
The peer binary comes from `cargo bench --bench peer --no-run`.
"""
import os
import statistics
import subprocess
import sys
import time

import cv2
import numpy as np


def main() -> None:
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    cv2.setNumThreads(2)
    y, x = np.mgrid[0:1080, 0:1920]
    gray = ((x * 7 + y * 13 + (x * y) // 64) & 255).astype(np.uint8)
    peer = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(job: str) -> str:
        peer.stdin.write(job + "\n")
        peer.stdin.flush()
        return peer.stdout.readline().strip()

    adapter = peer.stdout.readline().strip().removeprefix("ready ")

    def float_recipe():
        mean, std = cv2.meanStdDev(gray)
        lap = cv2.Laplacian(gray, cv2.CV_64F)
        _, lap_std = cv2.meanStdDev(lap)
        gx, gy = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
        tenengrad = (cv2.norm(gx, cv2.NORM_L2SQR) + cv2.norm(gy, cv2.NORM_L2SQR)) / gray.size
        return mean[0][0], std[0][0], lap_std[0][0] ** 2, tenengrad

    def int_recipe():
        mean, std = cv2.meanStdDev(gray)
        _, lap_std = cv2.meanStdDev(cv2.Laplacian(gray, cv2.CV_16S))
        gx, gy = cv2.spatialGradient(gray)
        tenengrad = (cv2.norm(gx, cv2.NORM_L2SQR) + cv2.norm(gy, cv2.NORM_L2SQR)) / gray.size
        return mean[0][0], std[0][0], lap_std[0][0] ** 2, tenengrad

    def timed(f):
        start = time.perf_counter_ns()
        f()
        return time.perf_counter_ns() - start

    ask("luma")
    ours = [float(v) for v in ask("show").split()]
    for name, recipe in (("float", float_recipe), ("int16", int_recipe)):
        for a, b in zip(ours, recipe()):
            assert abs(a - b) <= 1e-5 * max(1.0, abs(b)), f"{name}: ours {ours}, OpenCV {recipe()}"
    for job in ("luma", "ring", "write"):
        for _ in range(5):
            ask(job)
    times = {k: [] for k in ("luma", "float", "int16", "ring", "write")}
    for _ in range(rounds):
        times["luma"].append(int(ask("luma")))
        times["float"].append(timed(float_recipe))
        times["int16"].append(timed(int_recipe))
        times["ring"].append(int(ask("ring")))
        times["write"].append(int(ask("write")))
    peer.stdin.close()
    ms = {k: statistics.median(v) / 1e6 for k, v in times.items()}
    low = {k: min(v) / 1e6 for k, v in times.items()}
    print(f"adapter: {adapter}; OpenCV {cv2.__version__} with {cv2.getNumThreads()} threads; "
          f"{rounds} interleaved rounds; load {os.getloadavg()[0]:.1f}\n")
    print("| 1080p | ms, median | ms, least | ratio of medians |\n|---|---|---|---|")
    print(f"| stats/luma (with noise, dark and bright shares) | {ms['luma']:.2f} | {low['luma']:.2f} | 1 |")
    print(f"| OpenCV Laplacian 64F + Sobel 32F x2 + meanStdDev | {ms['float']:.2f} | {low['float']:.2f} "
          f"| **{ms['float'] / ms['luma']:.2f}** |")
    print(f"| OpenCV Laplacian 16S + spatialGradient + meanStdDev | {ms['int16']:.2f} | {low['int16']:.2f} "
          f"| {ms['int16'] / ms['luma']:.2f} |")
    print(f"| upload of 8 NV12 frames, mapped ring | {ms['ring']:.2f} | {low['ring']:.2f} | 1 |")
    print(f"| upload of 8 NV12 frames, write_buffer | {ms['write']:.2f} | {low['write']:.2f} | **{ms['write'] / ms['ring']:.2f}** |")


if __name__ == "__main__":
    main()
