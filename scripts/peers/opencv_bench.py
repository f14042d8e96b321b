#!/usr/bin/env python3
"""OpenCV's half of a paired benchmark: `frameloom bench --peer "python3 scripts/peers/opencv_bench.py"`.

Needs opencv-python-headless 4.x and numpy. Two threads, unless FRAMELOOM_PEER_THREADS says otherwise. For each case it is told the
operation, its variant and a file with two frames; it answers with the names of the ways that OpenCV offers, and then times one run of
a way whenever asked. The protocol is described in benches/ops/peer.rs.

A recipe does what a user of OpenCV would write for the same result. Work that ours does not do (reading the file, making kernels and
descriptors) is outside the timed part; what ours does as well (conversion from YUV, normalisation) is inside.
"""

import os
import sys
import time

import cv2
import numpy as np

PLANES = {"gray8": 1, "nv12": 1.5, "i420": 1.5, "rgba8": 4}


class Case:
    """Two frames and what is to be done with them."""

    def __init__(self, op, variant, content, form, width, height, path):
        self.op, self.variant, self.content, self.form = op, variant, content, form
        self.w, self.h = int(width), int(height)
        data = np.fromfile(path, np.uint8)
        size = int(self.w * self.h * PLANES[form])
        self.frames = [data[i * size:(i + 1) * size] for i in range(2)]

    def yuv(self, i=0):
        return self.frames[i].reshape(self.h * 3 // 2, self.w)

    def rgba(self, i=0):
        return self.frames[i].reshape(self.h, self.w, 4)

    def luma(self, i=0):
        if self.form == "rgba8":
            return cv2.cvtColor(self.rgba(i), cv2.COLOR_RGBA2GRAY)
        return np.ascontiguousarray(self.frames[i][:self.w * self.h].reshape(self.h, self.w))

    def to_rgb(self, i=0):
        """RGB as a callable that converts: part of a recipe for YUV input."""
        if self.form == "rgba8":
            rgba = self.rgba(i)
            return lambda: cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB)
        yuv = self.yuv(i)
        code = cv2.COLOR_YUV2RGB_NV12 if self.form == "nv12" else cv2.COLOR_YUV2RGB_I420
        return lambda: cv2.cvtColor(yuv, code)


def luma_statistics(c):
    g = c.luma()

    def sums(gx, gy):
        return (cv2.norm(gx, cv2.NORM_L2SQR) + cv2.norm(gy, cv2.NORM_L2SQR)) / g.size

    def floats():
        cv2.meanStdDev(g)
        cv2.meanStdDev(cv2.Laplacian(g, cv2.CV_64F))
        sums(cv2.Sobel(g, cv2.CV_32F, 1, 0), cv2.Sobel(g, cv2.CV_32F, 0, 1))

    def integers():
        cv2.meanStdDev(g)
        cv2.meanStdDev(cv2.Laplacian(g, cv2.CV_16S))
        sums(*cv2.spatialGradient(g))

    return {"Laplacian 64F + Sobel 32F x2 + meanStdDev": floats, "Laplacian 16S + spatialGradient + meanStdDev": integers}


def laplacian_variance(c):
    g = c.luma()
    return {
        "Laplacian 64F + meanStdDev": lambda: cv2.meanStdDev(cv2.Laplacian(g, cv2.CV_64F)),
        "Laplacian 16S + meanStdDev": lambda: cv2.meanStdDev(cv2.Laplacian(g, cv2.CV_16S)),
    }


def tenengrad(c):
    g = c.luma()

    def integers():
        gx, gy = cv2.spatialGradient(g)
        return cv2.norm(gx, cv2.NORM_L2SQR) + cv2.norm(gy, cv2.NORM_L2SQR)

    def floats():
        gx, gy = cv2.Sobel(g, cv2.CV_32F, 1, 0), cv2.Sobel(g, cv2.CV_32F, 0, 1)
        return cv2.norm(gx, cv2.NORM_L2SQR) + cv2.norm(gy, cv2.NORM_L2SQR)

    return {"Sobel 32F x2 + norm": floats, "spatialGradient + norm": integers}


def magnitude(gradient):
    def make(c):
        g = c.luma()

        def chain():
            gx = cv2.convertScaleAbs(gradient(g, cv2.CV_16S, 1, 0))
            gy = cv2.convertScaleAbs(gradient(g, cv2.CV_16S, 0, 1))
            return cv2.add(gx, gy)

        return {"16S dx, dy + convertScaleAbs + add": chain}

    return make


def canny(c):
    g = c.luma()
    return {"Canny(50, 150)": lambda: cv2.Canny(g, 50, 150)}


def hog(c):
    g = c.luma()
    # Whole blocks of 16x16 over 8x8 cells; the rest of the picture is left out.
    w, h = c.w // 8 * 8, c.h // 8 * 8
    descriptor = cv2.HOGDescriptor((w, h), (16, 16), (8, 8), (8, 8), 9)
    part = np.ascontiguousarray(g[:h, :w])
    return {"HOGDescriptor.compute, 8x8 cells": lambda: descriptor.compute(part)}


def hsv_histogram(bins):
    def make(c):
        rgb = c.to_rgb()

        def chain():
            hsv = cv2.cvtColor(rgb(), cv2.COLOR_RGB2HSV)
            return cv2.calcHist([hsv], [0, 1, 2], None, bins, [0, 180, 0, 256, 0, 256])

        return {"cvtColor RGB, HSV + calcHist 3-D": chain}

    return make


def luma_histogram(c):
    g = c.luma()
    return {"calcHist 256": lambda: cv2.calcHist([g], [0], None, [256], [0, 256])}


def difference_heat(c):
    a, b = c.luma(0), c.luma(1)
    heat = np.zeros(a.shape, np.float32)

    def chain():
        d = cv2.absdiff(a, b)
        _, mask = cv2.threshold(d, 15, 1, cv2.THRESH_BINARY)
        cv2.accumulate(mask, heat)

    return {"absdiff + threshold + accumulate": chain}


def difference(c):
    a, b = c.luma(0), c.luma(1)

    def chain():
        d = cv2.absdiff(a, b)
        return cv2.sumElems(d), cv2.countNonZero(cv2.threshold(d, 30, 255, cv2.THRESH_BINARY)[1])

    return {"absdiff + sumElems + threshold + countNonZero": chain}


def tensor(interpolation, name):
    def make(c):
        rgb = c.to_rgb()

        def chain():
            small = cv2.resize(rgb(), (224, 224), interpolation=interpolation)
            return cv2.dnn.blobFromImage(small, 1 / 58.0, None, (123.7, 116.3, 103.5), swapRB=False)

        return {f"cvtColor + resize {name} 224 + blobFromImage": chain}

    return make


def tensors(c):
    return tensor(cv2.INTER_AREA, "AREA")(c) if "area" in c.variant else tensor(cv2.INTER_LINEAR, "LINEAR")(c)


def to_gray(c):
    rgba = c.rgba()
    return {"cvtColor RGBA2GRAY": lambda: cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY)}


def to_hsv(c):
    rgb = c.to_rgb()()
    return {"cvtColor RGB2HSV": lambda: cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)}


def to_rgb(c):
    return {"cvtColor YUV2RGB": c.to_rgb()} if c.form in ("nv12", "i420") else {}


def filtered(name, function):
    def make(c):
        picture = c.luma() if c.form != "rgba8" else c.rgba()
        return {name: lambda: function(picture)}

    return make


def everything(c):
    """What analyze_frame measures, one call after the other, as a user of OpenCV would."""
    rgb = c.to_rgb()
    before = c.luma(1)
    g = c.luma()

    def chain():
        hsv = cv2.cvtColor(rgb(), cv2.COLOR_RGB2HSV)
        cv2.meanStdDev(g)
        cv2.meanStdDev(cv2.Laplacian(g, cv2.CV_64F))
        gx, gy = cv2.Sobel(g, cv2.CV_32F, 1, 0), cv2.Sobel(g, cv2.CV_32F, 0, 1)
        cv2.norm(gx, cv2.NORM_L2SQR), cv2.norm(gy, cv2.NORM_L2SQR)
        cv2.calcHist([g], [0], None, [256], [0, 256])
        cv2.calcHist([hsv], [0, 1, 2], None, [6, 6, 6], [0, 180, 0, 256, 0, 256])
        cv2.calcHist([cv2.magnitude(gx, gy)], [0], None, [32], [0, 1443])
        cv2.countNonZero(cv2.Canny(g, 50, 150))
        cv2.sumElems(cv2.absdiff(g, cv2.GaussianBlur(g, (5, 5), 0)))
        cv2.sumElems(cv2.absdiff(g, before))
        cv2.meanStdDev(hsv[..., 2])

    return {"one call after the other": chain}


RECIPES = {
    "stats/luma": luma_statistics,
    "sharpness/laplacian_variance": laplacian_variance,
    "sharpness/tenengrad": tenengrad,
    "edges/sobel": magnitude(cv2.Sobel),
    "edges/scharr": magnitude(cv2.Scharr),
    "edges/canny": canny,
    "hog/hog": hog,
    "histogram/hsv3d": hsv_histogram([6, 6, 6]),
    "histogram/luma": luma_histogram,
    "heatmap/accumulate": difference_heat,
    "motion/frame_difference": difference,
    "tensor/pack_nchw": tensors,
    "color/gray_from_rgb": to_gray,
    "color/hsv_from_rgb": to_hsv,
    "color/rgb_from_yuv": to_rgb,
    "filter/median3": filtered("medianBlur 3", lambda p: cv2.medianBlur(p, 3)),
    "pipeline/analyze_frame": everything,
}


def main() -> None:
    cv2.setNumThreads(int(os.environ.get("FRAMELOOM_PEER_THREADS", "2")))
    out = sys.stdout
    print(f"ready\tOpenCV {cv2.__version__} with {cv2.getNumThreads()} threads", flush=True)
    recipes = {}
    for line in sys.stdin:
        words = line.rstrip("\n").split("\t")
        try:
            if words[0] == "case":
                known = RECIPES.get(words[1])
                recipes = known(Case(*words[1:])) if known and words[4] in PLANES else {}
                print("\t".join(["recipes", *recipes]), file=out, flush=True)
            elif words[0] == "run":
                run = recipes[words[1]]
                start = time.perf_counter_ns()
                run()
                print(time.perf_counter_ns() - start, file=out, flush=True)
            else:
                print(f"error unknown request {words[0]}", file=out, flush=True)
        except (KeyError, ValueError, cv2.error) as e:
            print("error " + " ".join(f"{type(e).__name__} {e}".split()), file=out, flush=True)


if __name__ == "__main__":
    main()
