#!/usr/bin/env python3
"""OpenCV's half of a paired benchmark: `frameloom bench --peer "python3 scripts/peers/opencv_bench.py"`.

Needs numpy and opencv-python-headless 4.x or 5.x (which has no HOGDescriptor: HOG is not compared then). Two threads, unless
FRAMELOOM_PEER_THREADS says otherwise. For each case it is told the operation, its variant and a file with two frames; it answers with
the names of the ways that OpenCV offers, and then times one run of a way whenever asked. The protocol is described in
benches/ops/peer.rs.

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


def derivatives(operator):
    """What sobel and scharr offer: the magnitude as a picture, both derivatives, the rounded norm."""

    def make(c):
        g = c.luma()

        def both():
            return operator(g, cv2.CV_16S, 1, 0), operator(g, cv2.CV_16S, 0, 1)

        def scaled():
            gx, gy = both()
            return cv2.add(cv2.convertScaleAbs(gx), cv2.convertScaleAbs(gy))

        def summed():
            gx, gy = both()
            return cv2.convertScaleAbs(cv2.add(cv2.absdiff(gx, 0), cv2.absdiff(gy, 0)))

        def norm():
            gx, gy = operator(g, cv2.CV_32F, 1, 0), operator(g, cv2.CV_32F, 0, 1)
            return cv2.magnitude(gx, gy)

        return {
            "magnitude": {"16S dx, dy + absdiff x2 + add + convertScaleAbs": summed, "16S dx, dy + convertScaleAbs x2 + add": scaled},
            "derivatives": {"16S dx, dy": both},
            "norm": {"32F dx, dy + magnitude": norm},
        }.get(c.variant, {})

    return make


def laplacian(c):
    g = c.luma()
    return {
        "magnitude": {"Laplacian 16S + convertScaleAbs": lambda: cv2.convertScaleAbs(cv2.Laplacian(g, cv2.CV_16S))},
        "map": {"Laplacian 16S": lambda: cv2.Laplacian(g, cv2.CV_16S)},
    }.get(c.variant, {})


def canny(c):
    g = c.luma()
    return {"Canny(50, 150)": lambda: cv2.Canny(g, 50, 150)} if c.variant == "" else {}


def edge_density(c):
    g = c.luma()
    return {"Canny(50, 150) + countNonZero": lambda: cv2.countNonZero(cv2.Canny(g, 50, 150))} if c.variant == "" else {}


def hog(c):
    if c.variant != "cells of 8x8":
        return {}
    g = c.luma()
    # Whole blocks of 16x16 over 8x8 cells; the rest of the picture is left out.
    w, h = c.w // 8 * 8, c.h // 8 * 8
    descriptor = cv2.HOGDescriptor((w, h), (16, 16), (8, 8), (8, 8), 9)
    part = np.ascontiguousarray(g[:h, :w])
    return {"HOGDescriptor.compute, 8x8 cells": lambda: descriptor.compute(part)}


def hsv_histogram(c):
    rgb = c.to_rgb()
    bins = [int(n) for n in c.variant.split(",")[0].split("x")]

    def chain():
        hsv = cv2.cvtColor(rgb(), cv2.COLOR_RGB2HSV)
        return cv2.calcHist([hsv], [0, 1, 2], None, bins, [0, 180, 0, 256, 0, 256])

    return {"cvtColor RGB, HSV + calcHist 3-D": chain}


def unique_colors(c):
    rgb = c.to_rgb()
    seen = np.zeros(1 << 24, np.bool_)

    def bitmap():
        p = rgb().reshape(-1, 3).astype(np.uint32)
        seen[:] = False
        seen[p[:, 0] | p[:, 1] << 8 | p[:, 2] << 16] = True
        return np.count_nonzero(seen)

    return {"numpy: table of 2^24 + count_nonzero": bitmap}


def luma_histogram(c):
    g = c.luma()
    bins = int(c.variant.split(" ")[0])
    return {f"calcHist {bins}": lambda: cv2.calcHist([g], [0], None, [bins], [0, 256])}


def difference_heat(c):
    if not c.variant.startswith("count"):
        return {}
    a, b = c.luma(0), c.luma(1)
    heat = np.zeros(a.shape, np.float32)

    def chain():
        d = cv2.absdiff(a, b)
        _, mask = cv2.threshold(d, 25, 1, cv2.THRESH_BINARY)
        cv2.accumulate(mask, heat)

    return {"absdiff + threshold + accumulate": chain}


def difference(c):
    a, b = c.luma(0), c.luma(1)

    def chain():
        d = cv2.absdiff(a, b)
        return cv2.sumElems(d), cv2.countNonZero(cv2.threshold(d, 30, 255, cv2.THRESH_BINARY)[1])

    return {"absdiff + sumElems + threshold + countNonZero": chain}


def cut_score(c):
    now, before = c.to_rgb(0), cv2.cvtColor(c.to_rgb(1)(), cv2.COLOR_RGB2HSV)
    return {"cvtColor RGB, HSV + absdiff + sumElems":
            lambda: cv2.sumElems(cv2.absdiff(cv2.cvtColor(now(), cv2.COLOR_RGB2HSV), before))}


def optical_flow(c):
    preset = {"full": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, "half": cv2.DISOPTICAL_FLOW_PRESET_FAST,
              "quarter": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST}.get(c.variant)
    if preset is None:
        return {}
    now, before, flow = c.luma(0), c.luma(1), cv2.DISOpticalFlow_create(preset)
    return {"DISOpticalFlow, preset of like scale": lambda: flow.calc(before, now, None)}


def contrast(c):
    g = c.luma()
    return {"meanStdDev": lambda: cv2.meanStdDev(g)}


def noise(c):
    g = c.luma()
    return {"GaussianBlur 5 + absdiff + sumElems": lambda: cv2.sumElems(cv2.absdiff(g, cv2.GaussianBlur(g, (5, 5), 1.1)))}


def resized(interpolation, name):
    def make(c):
        if not c.variant.startswith("luma to "):
            return {}
        g = c.luma()
        to = tuple(int(v) for v in c.variant.removeprefix("luma to ").split("x"))
        return {f"resize {name}": lambda: cv2.resize(g, to, interpolation=interpolation)}

    return make


def tensor(interpolation, name):
    def make(c):
        rgb = c.to_rgb()

        def chain():
            small = cv2.resize(rgb(), (224, 224), interpolation=interpolation)
            return cv2.dnn.blobFromImage(small, 1 / 58.0, None, (123.7, 116.3, 103.5), swapRB=False)

        return {f"cvtColor + resize {name} 224 + blobFromImage": chain}

    return make


def letterboxed(c):
    """The longer side fills, grey around: in the middle for 640x640 (RGB in 0..1), at the bottom for 416x416 (BGR in 0..255, YOLOX)."""
    side = int(c.variant.split("x")[0])
    scale = side / max(c.w, c.h)
    w, h = min(side, int(c.w * scale + 0.5)), min(side, int(c.h * scale + 0.5))
    x, y = ((side - w) // 2, (side - h) // 2) if side == 640 else (0, 0)
    rgb = c.to_rgb()  # OpenCV converts to BGR as fast
    factor = 1 / 255 if side == 640 else 1.0

    def border():
        small = cv2.resize(rgb(), (w, h), interpolation=cv2.INTER_LINEAR)
        full = cv2.copyMakeBorder(small, y, side - h - y, x, side - w - x, cv2.BORDER_CONSTANT, value=(114, 114, 114))
        return cv2.dnn.blobFromImage(full, factor)

    # A user who knows its size keeps the grey canvas and resizes into it.
    canvas = np.full((side, side, 3), 114, np.uint8)
    inside = canvas[y:y + h, x:x + w]

    def kept():
        cv2.resize(rgb(), (w, h), dst=inside, interpolation=cv2.INTER_LINEAR)
        return cv2.dnn.blobFromImage(canvas, factor)

    return {f"cvtColor + resize {side} + copyMakeBorder + blobFromImage": border, f"cvtColor + resize {side} into a kept canvas + blobFromImage": kept}


def tensors(c):
    if "letterbox" in c.variant:
        return letterboxed(c)
    if not c.variant.startswith("224x224 stretched") or "f16" in c.variant:
        return {}
    return tensor(cv2.INTER_AREA, "AREA")(c) if "area" in c.variant else tensor(cv2.INTER_LINEAR, "LINEAR")(c)


def complexity(c):
    rgba = to_rgba(c)
    gray = to_luma(c)
    seen = np.zeros(1 << 24, np.bool_)

    def chain():
        g = gray()
        cv2.countNonZero(cv2.Canny(g, 50, 150))
        cv2.meanStdDev(g)
        return distinct(rgba(), seen)

    return {"cvtColor + Canny + meanStdDev + numpy table of 2^24": chain}


def to_rgba(c):
    """Packed colours as a callable that converts."""
    if c.form == "rgba8":
        rgba = c.rgba()
        return lambda: rgba
    yuv, code = c.yuv(), cv2.COLOR_YUV2RGBA_NV12 if c.form == "nv12" else cv2.COLOR_YUV2RGBA_I420
    return lambda: cv2.cvtColor(yuv, code)


def to_luma(c):
    """Grey as a callable: converts packed colours, takes the luma plane as it is."""
    if c.form == "rgba8":
        rgba = c.rgba()
        return lambda: cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY)
    g = c.luma()
    return lambda: g


def distinct(rgba, seen):
    """Different colours by a table of all: faster than np.unique, which sorts."""
    seen[:] = False
    seen[rgba.view(np.uint32).ravel() & 0xFFFFFF] = True
    return np.count_nonzero(seen)


def patch_deviations(v):
    """Mean standard deviation of whole patches of 32x32, by integral images."""
    sums, squares = (i[::32, ::32] for i in cv2.integral2(v))
    area = [i[1:, 1:] - i[:-1, 1:] - i[1:, :-1] + i[:-1, :-1] for i in (sums, squares)]
    return np.sqrt(np.maximum(area[1] / 1024 - (area[0] / 1024) ** 2, 0)).mean()


def border_figures(g, edges):
    strips = [(p[:20], p[-20:], p[:, :20], p[:, -20:]) for p in (g, edges)]
    return np.concatenate([s.ravel() for s in strips[0]]).std(), sum(cv2.countNonZero(s) for s in strips[1])


def analyze_frame(c):
    """All figures of a frame one by one.

    Lean: conversions shared, integer derivatives, integral images, a table for colours. Usual: conversions shared, floats, a loop over
    patches. Each by itself: every figure from the frame by a function of its own, colours sorted by numpy, as scripts have it.
    """
    if c.variant not in ("all", "curation"):
        return {}
    histograms = c.variant == "all"
    rgba, gray = to_rgba(c), to_luma(c)
    seen = np.zeros(1 << 24, np.bool_)

    def shared(g, p):
        edges = cv2.Canny(g, 50, 150)
        cv2.countNonZero(edges)
        border_figures(g, edges)
        cv2.meanStdDev(g)
        cv2.sumElems(cv2.absdiff(g, cv2.GaussianBlur(g, (5, 5), 1.1)))
        cv2.resize(g, (32, 32), interpolation=cv2.INTER_AREA)
        hsv = cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_RGBA2RGB), cv2.COLOR_RGB2HSV)
        v = cv2.extractChannel(hsv, 2)
        counts = cv2.calcHist([v], [0], None, [256], [0, 256])
        if histograms:
            cv2.calcHist([g], [0], None, [256], [0, 256])
            cv2.calcHist([hsv], [0, 1, 2], None, [6, 6, 6], [0, 180, 0, 256, 0, 256])
        return v, counts[:64].sum() + counts[192:].sum(), distinct(p, seen)

    def lean():
        g, p = gray(), rgba()
        v, _, _ = shared(g, p)
        cv2.meanStdDev(cv2.Laplacian(g, cv2.CV_16S))
        gx, gy = cv2.spatialGradient(g)
        cv2.norm(gx, cv2.NORM_L2SQR) + cv2.norm(gy, cv2.NORM_L2SQR)
        patch_deviations(v)

    def usual():
        g, p = gray(), rgba()
        v, _, _ = shared(g, p)
        cv2.meanStdDev(cv2.Laplacian(g, cv2.CV_64F))
        gx, gy = cv2.Sobel(g, cv2.CV_32F, 1, 0), cv2.Sobel(g, cv2.CV_32F, 0, 1)
        cv2.norm(gx, cv2.NORM_L2SQR) + cv2.norm(gy, cv2.NORM_L2SQR)
        np.mean([cv2.meanStdDev(v[i:i + 32, j:j + 32])[1] for i in range(0, c.h - 32, 32) for j in range(0, c.w - 32, 32)])

    def by_itself():
        def hsv():
            return cv2.cvtColor(cv2.cvtColor(rgba(), cv2.COLOR_RGBA2RGB), cv2.COLOR_RGB2HSV)

        def complexity():
            g = gray()
            cv2.countNonZero(cv2.Canny(g, 50, 150))
            cv2.meanStdDev(g)
            return len(np.unique(rgba().view(np.uint32).ravel() & 0xFFFFFF))

        def lighting():
            v = cv2.extractChannel(hsv(), 2)
            counts = cv2.calcHist([v], [0], None, [256], [0, 256])
            patches = [cv2.meanStdDev(v[i:i + 32, j:j + 32])[1] for i in range(0, c.h - 32, 32) for j in range(0, c.w - 32, 32)]
            return counts[:64].sum() + counts[192:].sum(), np.mean(patches), v.mean()

        def occlusion():
            g = gray()
            return border_figures(g, cv2.Canny(g, 50, 150))

        def quality():
            g = gray()
            cv2.meanStdDev(cv2.Laplacian(g, cv2.CV_64F))
            gx, gy = cv2.Sobel(g, cv2.CV_32F, 1, 0), cv2.Sobel(g, cv2.CV_32F, 0, 1)
            cv2.norm(gx, cv2.NORM_L2SQR) + cv2.norm(gy, cv2.NORM_L2SQR)
            return cv2.sumElems(cv2.absdiff(g, cv2.GaussianBlur(g, (5, 5), 1.1)))

        complexity(), lighting(), occlusion(), quality()
        cv2.resize(gray(), (32, 32), interpolation=cv2.INTER_AREA)
        if histograms:
            cv2.calcHist([gray()], [0], None, [256], [0, 256])
            cv2.calcHist([hsv()], [0, 1, 2], None, [6, 6, 6], [0, 180, 0, 256, 0, 256])

    return {
        "one by one, lean: 16S, integral2, table of 2^24": lean,
        "one by one, usual: 64F, 32F, patches in a loop": usual,
        "each by itself: usual, converted for each, np.unique": by_itself,
    }


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


def describe(c):
    """The steps of a descriptor with OpenCV: crop to 16:9, AREA to 256x144, then the parts of the method."""
    if c.form != "rgba8":
        picture = c.to_rgb()
    else:
        rgb = np.ascontiguousarray(c.rgba()[:, :, :3])
        picture = lambda: rgb
    matrix = np.random.default_rng(1).standard_normal((256, 8192)).astype(np.float32)
    descriptor = cv2.HOGDescriptor((256, 128), (64, 64), (32, 32), (32, 32), 9)

    def small():
        p = picture()
        h, w = p.shape[:2]
        high, wide = min(h, int(w / (16 / 9))), min(w, int(h * 16 / 9))
        y, x = (h - high) // 2, (w - wide) // 2
        return cv2.resize(p[y:y + high, x:x + wide], (256, 144), interpolation=cv2.INTER_AREA)

    def finish(edge, p, gray):
        gx, gy = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
        m = cv2.normalize(cv2.magnitude(gx, gy), None, 0, 255, cv2.NORM_MINMAX)
        texture = cv2.calcHist([m], [0], None, [32], [0, 256])
        hsv = cv2.cvtColor(p, cv2.COLOR_RGB2HSV)
        color = cv2.calcHist([hsv], [0, 1, 2], None, [6, 6, 6], [0, 180, 0, 256, 0, 256])
        parts = [v.ravel() / max(float(np.linalg.norm(v)), 1e-9) for v in (edge, texture, color)]
        return np.concatenate(parts).astype(np.float32)

    def canny():
        p = small()
        gray = cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)
        return finish(cv2.calcHist([cv2.Canny(gray, 50, 150)], [0], None, [128], [0, 256]), p, gray)

    def pyramid():
        p = small()
        gray = cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)
        cells = [gray[y * 36:y * 36 + 36, x * 64:x * 64 + 64] for y in range(4) for x in range(4)]
        edge = [cv2.calcHist([cv2.Canny(cell, 50, 150)], [0], None, [32], [0, 256]) for cell in cells]
        return finish(np.concatenate(edge), p, gray)

    def hog():
        p = small()
        gray = cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)
        return finish(descriptor.compute(np.ascontiguousarray(gray[:128])), p, gray)

    def colors():
        p = small()
        cells = [p[y * 36:y * 36 + 36, x * 64:x * 64 + 64] for y in range(4) for x in range(4)]
        counts = [cv2.calcHist([cell], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3) for cell in cells]
        return np.concatenate([n.ravel() / 2304 for n in counts])

    return {
        "canny": {"crop, AREA, Canny, Sobel, HSV, calcHist": canny},
        "spatial_pyramid 4x4": {"crop, AREA, 16 Canny, Sobel, HSV, calcHist": pyramid},
        "hog": {"crop, AREA, HOGDescriptor, Sobel, HSV, calcHist": hog},
        "spatial_color": {
            "crop, AREA, 16 calcHist": colors,
            "crop, AREA, 16 calcHist, matrix product": lambda: matrix @ colors(),
        },
    }[c.variant]


RECIPES = {
    "color/gray_from_rgb": to_gray,
    "color/hsv_from_rgb": to_hsv,
    "color/rgb_from_yuv": to_rgb,
    "edges/canny": canny,
    "edges/edge_density": edge_density,
    "edges/laplacian": laplacian,
    "edges/scharr": derivatives(cv2.Scharr),
    "edges/sobel": derivatives(cv2.Sobel),
    "filter/median3": filtered("medianBlur 3", lambda p: cv2.medianBlur(p, 3)),
    "fused/analyze_frame": analyze_frame,
    "fused/describe_image": describe,
    "heatmap/accumulate": difference_heat,
    "histogram/hsv3d": hsv_histogram,
    "histogram/luma": luma_histogram,
    "histogram/unique_colors": unique_colors,
    "hog/hog": hog,
    "motion/frame_difference": difference,
    "motion/hsv_cut_score": cut_score,
    "motion/optical_flow": optical_flow,
    "quality/complexity": complexity,
    "quality/contrast_brightness": contrast,
    "resize/area": resized(cv2.INTER_AREA, "AREA"),
    "resize/bicubic": resized(cv2.INTER_CUBIC, "CUBIC"),
    "resize/bilinear": resized(cv2.INTER_LINEAR, "LINEAR"),
    "sharpness/laplacian_variance": laplacian_variance,
    "sharpness/noise_residual": noise,
    "sharpness/tenengrad": tenengrad,
    "stats/luma": luma_statistics,
    "tensor/pack_nchw": tensors,
}


def absent(operation, why):
    """Tells whoever asked that an operation is not compared: in the file that FRAMELOOM_PEER_ABSENT names, or to people."""
    text = f"{operation} against OpenCV {cv2.__version__}: {why}\n"
    path = os.environ.get("FRAMELOOM_PEER_ABSENT")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.stderr.write(f"not compared: {text}")


def main() -> None:
    cv2.setNumThreads(int(os.environ.get("FRAMELOOM_PEER_THREADS", "2")))
    out = sys.stdout
    print(f"ready\tOpenCV {cv2.__version__} with {cv2.getNumThreads()} threads", flush=True)
    recipes = {}
    for line in sys.stdin:
        words = line.rstrip("\n").split("\t")
        try:
            if words[0] == "knows":
                print("yes" if words[1] in RECIPES and words[2] in PLANES else "no", file=out, flush=True)
            elif words[0] == "case":
                try:
                    recipes = RECIPES[words[1]](Case(*words[1:]))
                except AttributeError as e:
                    # Functions come and go between versions.
                    recipes = {}
                    absent(words[1], e)
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
