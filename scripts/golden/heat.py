"""Golden vectors of heatmap/ (but accumulate's first modes) and placement/."""

import cv2
import numpy as np

from golden import lcg, write

# Inputs that tests make again: bytes of `lcg`, or those bytes divided by 255 in f32.
SHAPES = [(33, 17), (64, 48), (17, 1), (1, 17)]


def shares(seed: int, h: int, w: int) -> np.ndarray:
    return lcg(seed, h, w).astype(np.float32) / np.float32(255)


def maps() -> None:
    for seed, (w, h) in enumerate([(33, 17), (17, 1), (1, 17)], 120):
        frames = [lcg(seed + t, h, w) for t in range(5)]
        heat = sum((f & 1).astype(np.int64) for f in frames)
        write("heatmap/accumulate_set", f"{w}x{h}_n5_s{seed}", "numpy sum of bits", 0, "integer sums", width=w, height=h, seed=seed,
              frames=5, out=heat)
        v = shares(seed, h, w)
        wide = v.astype(np.float64)
        write("heatmap/stats", f"{w}x{h}_s{seed}", "numpy mean, std, max, min, sum in f64", 1e-9,
              "fixed point of 2^-31 of the largest value", width=w, height=h, seed=seed, threshold=0.1,
              figures=np.array([wide.mean(), wide.max(), wide.min(), wide.std(), (v > np.float32(0.1)).sum(), wide.size, wide.sum(),
                                (v > np.float32(0.1)).mean()]))
        for by, norm in [("largest", cv2.NORM_INF), ("sum", cv2.NORM_L1)]:
            write("heatmap/normalize", f"{by}_{w}x{h}_s{seed}", f"cv2.normalize in f64, {by}", 1e-12, "f64 on both sides", width=w,
                  height=h, seed=seed, by=by, out=cv2.normalize(wide, None, 1.0, 0, norm).round(15))


def splats() -> None:
    w, h = 40, 24
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    boxes = [(3, 2, 9, 12, 1.0), (20, 10, 16, 5, 2.5), (35, 20, 11, 11, 0.5)]
    heat = np.zeros((h, w))
    for bx, by, bw, bh, weight in boxes:
        sigma = max(bw, bh) // 2
        heat += weight * np.exp(-((x - (bx + bw // 2)) ** 2 + (y - (by + bh // 2)) ** 2) / (2 * sigma**2))
    write("heatmap/splat_gaussian", "three_40x24", "numpy exp in f64", 1e-12, "f64 on both sides", width=w, height=h,
          boxes=[list(b) for b in boxes], out=heat.round(15))


def palettes() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, -1)
    for name in ["jet", "viridis", "inferno"]:
        table = cv2.applyColorMap(levels, getattr(cv2, f"COLORMAP_{name.upper()}"))[0][:, ::-1]
        write("heatmap/colormap", name, "cv2.applyColorMap, as RGB", 1, "rounding of the tables", out=np.ascontiguousarray(table))


def placement() -> None:
    for seed, (w, h) in enumerate(SHAPES, 140):
        src = lcg(seed, h, w)
        write("placement/integral", f"{w}x{h}_s{seed}", "cv2.integral (CV_64F)", 0, "integer sums", width=w, height=h, seed=seed,
              out=cv2.integral(src, sdepth=cv2.CV_64F).astype(np.int64))
        for cell in [4, 16]:
            cells = []
            for y in range(0, h, cell):
                for x in range(0, w, cell):
                    part = src[y:y + cell, x:x + cell].astype(np.int64)
                    m = cv2.moments(np.where(part > 100, part, 0).astype(np.float32))
                    cells += [part.sum(), (part > 100).sum(), m["m00"], m["m10"], m["m01"]]
            write("placement/cell_sums", f"{w}x{h}_c{cell}_s{seed}", "numpy sums, cv2.moments", 0, "integer sums", width=w, height=h,
                  seed=seed, cell=cell, threshold=100, out=np.array(cells).round().astype(np.int64))
    w, h, seed, step, cw, ch = 48, 40, 150, 4, 16, 12
    heat = cv2.GaussianBlur(lcg(seed, h, w), (0, 0), 4)
    heat = np.where(heat > 128, heat - 128, 0).astype(np.int64)
    scores = []
    for y in range(0, h - ch + 1, step):
        for x in range(0, w - cw + 1, step):
            part = heat[y:y + ch, x:x + cw]
            hot = np.where(part > 6, part, 0).astype(np.float64)
            score = float(part.sum())
            if hot.sum() > 0:
                cy, cx = (np.average(i, weights=hot) for i in np.mgrid[0:ch, 0:cw])
                m = min(cw // 6, ch // 6)
                score *= 0.85 if cx < m or cx > cw - m or cy < m or cy > ch - m else 1
            scores.append(score)
    write("placement/window_scores", f"{w}x{h}_{cw}x{ch}_step{step}", "numpy sums and weighted means", 1e-9, "products in f64", width=w,
          height=h, step=step, window_width=cw, window_height=ch, threshold=6, heat=heat.astype(np.uint8), out=scores)


def generate() -> None:
    maps()
    splats()
    palettes()
    placement()
