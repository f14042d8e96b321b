"""Golden vectors of edges/canny, edges/hysteresis, histogram/edge_grid and quality/border_occlusion."""

import cv2
import numpy as np

from golden import lcg, write

EXACT = "same integer arithmetic"
SIZES = [(97, 83), (64, 48), (130, 33), (33, 17), (17, 1), (1, 17), (3, 3), (2, 2), (1, 1)]
THRESHOLDS = [(50, 150), (150, 50), (0, 0), (200, 900), (30, 100)]


def picture(seed: int, w: int, h: int, smooth: int) -> np.ndarray:
    """Noise averaged over smooth x smooth pixels, then stretched fourfold around 128 where it was averaged."""
    src = lcg(seed, h + smooth - 1, w + smooth - 1).astype(np.int64)
    total = sum(src[y : y + h, x : x + w] for y in range(smooth) for x in range(smooth))
    mean = total // (smooth * smooth)
    return (mean if smooth == 1 else np.clip(4 * mean - 384, 0, 255)).astype(np.uint8)


def bits(edges: np.ndarray) -> np.ndarray:
    return np.packbits(edges.ravel() != 0)


def canny() -> None:
    for seed, (w, h) in enumerate(SIZES, 110):
        for smooth in [1, 4]:
            src = picture(seed, w, h, smooth)
            low, high = THRESHOLDS[(seed + smooth) % len(THRESHOLDS)]
            for low, high in {(50, 150), (low, high)}:
                write("edges/canny", f"{w}x{h}_smooth{smooth}_low{low}_high{high}_s{seed}", "cv2.Canny", 0, EXACT, width=w, height=h,
                      seed=seed, smooth=smooth, low=low, high=high, bits=bits(cv2.Canny(src, low, high)))


def hysteresis() -> None:
    for seed, (w, h) in enumerate([(97, 83), (33, 17), (1, 1)], 130):
        weak, strong = lcg(seed, h, w) < 110, lcg(seed + 1000, h, w) < 4
        _, labels = cv2.connectedComponents((weak | strong).astype(np.uint8), connectivity=8)
        reached = np.isin(labels, np.unique(labels[strong]))
        write("edges/hysteresis", f"{w}x{h}_s{seed}", "cv2.connectedComponents, 8-connected", 0, EXACT, width=w, height=h, seed=seed,
              weak_below=110, strong_below=4, bits=bits(reached))


def grids() -> None:
    for seed, (w, h, grid) in enumerate([(97, 83, 4), (64, 48, 3), (40, 31, 2), (33, 17, 1)], 140):
        src = picture(seed, w, h, 4)
        cw, ch = w // grid, h // grid
        cells = [(slice(i * ch, i * ch + ch), slice(j * cw, j * cw + cw)) for i in range(grid) for j in range(grid)]
        whole = cv2.Canny(src, 50, 150)
        write("histogram/edge_grid", f"{w}x{h}_grid{grid}_s{seed}", "cv2.Canny, numpy.count_nonzero", 0, EXACT, width=w, height=h,
              seed=seed, smooth=4, grid=grid, whole=np.array([np.count_nonzero(whole[c]) for c in cells]),
              cells=np.array([np.count_nonzero(cv2.Canny(np.ascontiguousarray(src[c]), 50, 150)) for c in cells]))


def borders() -> None:
    for seed, (w, h, border) in enumerate([(97, 83, 20), (64, 48, 7), (33, 17, 20), (5, 3, 1)], 150):
        src = picture(seed, w, h, 4)
        edges = cv2.Canny(src, 50, 150)
        strips = lambda a: np.concatenate([p.ravel() for p in (a[:border], a[-border:], a[:, :border], a[:, -border:])])
        wide = strips(src).astype(np.int64)
        on = int(np.count_nonzero(strips(edges)))
        byte = 0.5 * wide.std() / 128 + 0.5 * 255 * on / (2 * (w + h) * border)
        write("quality/border_occlusion", f"{w}x{h}_border{border}_s{seed}", "cv2.Canny, numpy.std", 1e-12, "order of f64 additions",
              width=w, height=h, seed=seed, smooth=4, border=border, sum=int(wide.sum()), sum_sq=int((wide**2).sum()), edges=on,
              samples=wide.size, occlusion=float(np.clip(0.5 * wide.std() / 128 + 0.5 * on / wide.size, 0, 1)),
              occlusion_bytes=float(np.clip(byte, 0, 1)))


def generate() -> None:
    canny()
    hysteresis()
    grids()
    borders()
