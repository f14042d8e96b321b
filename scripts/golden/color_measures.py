"""Golden vectors of histogram/{hsv3d,rgb_grid,unique_colors}, motion/hsv_cut_score, quality/."""

import cv2
import numpy as np

from golden import lcg, write

EXACT = "integer counts"


def rgb_of(seed: int, h: int, w: int) -> np.ndarray:
    return np.ascontiguousarray(lcg(seed, h, w, 4)[..., :3])


def sparse(counts: np.ndarray) -> dict:
    at = np.flatnonzero(counts)
    return dict(total=int(counts.size), at=at, counts=counts.ravel()[at].astype(np.int64))


def histograms() -> None:
    for w, h, seed in [(33, 17, 7), (64, 48, 8), (17, 1, 9), (1, 1, 10)]:
        rgb = rgb_of(seed, h, w)
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
        name = f"{w}x{h}_s{seed}"
        at = dict(width=w, height=h, seed=seed)
        for bins in [(6, 6, 6), (8, 8, 8), (30, 4, 2)]:
            hist = cv2.calcHist([hsv], [0, 1, 2], None, list(bins), [0, 180, 0, 256, 0, 256])
            write("histogram/hsv3d", f"{name}_b{'-'.join(map(str, bins))}", "cv2.cvtColor RGB2HSV, calcHist", 0, EXACT, **at,
                  bins=list(bins), **sparse(hist))
        for grid in [1, 3, 4]:
            cw, ch = w // grid, h // grid
            cells = [cv2.calcHist([np.ascontiguousarray(rgb[j * ch:j * ch + ch, i * cw:i * cw + cw])], [2, 1, 0], None,
                                  [8, 8, 8], [0, 256] * 3) if cw and ch else np.zeros((8, 8, 8))
                     for j in range(grid) for i in range(grid)]
            write("histogram/rgb_grid", f"{name}_g{grid}", "cv2.calcHist of each cell", 0, EXACT, **at, grid=grid,
                  **sparse(np.stack(cells)))
        coarse = rgb & 0xE0
        for kind, picture in [("all", rgb), ("coarse", coarse)]:
            unique = len(np.unique(picture.reshape(-1, 3), axis=0))
            write("histogram/unique_colors", f"{kind}_{name}", "numpy.unique", 0, EXACT, **at, mask=255 if kind == "all" else 0xE0,
                  out=unique)
        other = cv2.cvtColor(rgb_of(seed + 1000, h, w), cv2.COLOR_RGB2HSV).astype(np.int64)
        d = np.abs(hsv - other)
        d_hue = np.minimum(d[..., 0], 180 - d[..., 0])
        mean = d.reshape(-1, 3).mean(axis=0)
        write("motion/hsv_cut_score", name, "cv2.cvtColor RGB2HSV; score as in PySceneDetect's ContentDetector", 1e-12,
              "f64 in another order", **at, sums=[int(v) for v in [d[..., 0].sum(), d_hue.sum(), d[..., 1].sum(), d[..., 2].sum()]],
              weights=[1.0, 0.5, 2.0], score=float(mean.mean()), weighted=float((mean * [1.0, 0.5, 2.0]).sum() / 3.5))


def formula(name: str) -> np.ndarray:
    """B, G, R of the frames that tests/oracle makes too."""
    y, x = np.mgrid[0:256, 0:384]
    if name == "gradient":
        return np.stack([255 * x // 383, 255 * y // 255, 255 * (x + y) // 638], -1).astype(np.uint8)
    if name == "checker":
        return np.repeat((200 * ((x // 16 + y // 16) % 2) + 20)[..., None], 3, -1).astype(np.uint8)
    if name == "noise":
        return lcg(12345, 256, 384, 3)
    y, x = np.mgrid[0:512, 0:512]
    disk = (x - 256) ** 2 + (y - 256) ** 2 <= 100**2
    return np.where(disk[..., None], np.uint8(100), np.array([200, 210, 220], np.uint8))


def lighting(v: np.ndarray, all_patches: bool) -> float:
    """Every step as published, but for the patches that `all_patches` adds."""
    h, w = v.shape
    dark, bright = (v < 64).mean(), (v >= 192).mean()
    distribution = 0.3 if dark > 0.5 or bright > 0.5 else 1 - (dark + bright)
    if all_patches:
        parts = [v[i:i + 32, j:j + 32] for i in range(0, h, 32) for j in range(0, w, 32)]
        spread = sum(p.std() * p.size for p in parts) / v.size
    else:
        spread = np.mean([v[i:i + 32, j:j + 32].std() for i in range(0, h - 32, 32) for j in range(0, w - 32, 32)])
    exposure = 1.0 if 0.3 < v.mean() / 255 < 0.7 else 0.5
    return float(np.clip(0.4 * distribution + 0.3 * (1 - min(spread / 128, 1)) + 0.3 * exposure, 0, 1))


def quality() -> None:
    why = "f64 in another order"
    for name in ["gradient", "checker", "noise", "disk"]:
        bgr = formula(name)
        h, w, _ = bgr.shape
        v = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)[..., 2]
        gray = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        edges = float((cv2.Canny(gray, 50, 150) > 0).mean())
        unique = len(np.unique(bgr.reshape(-1, 3), axis=0))
        (mean,), (deviation,) = (m.ravel() for m in cv2.meanStdDev(gray))
        busy = 0.4 * edges + 0.3 * min(unique / (0.1 * w * h), 1) + 0.3 * deviation / 128
        write("quality/lighting", name, "cv2.cvtColor BGR2HSV, numpy std", 1e-9, why, width=w, height=h, strict=lighting(v, False),
              all=lighting(v, True))
        write("quality/contrast_brightness", name, "cv2.cvtColor BGR2GRAY, meanStdDev, Canny, numpy.unique", 1e-9, why, width=w,
              height=h, contrast=float(deviation / 128), brightness=float(mean / 255), edge_share=edges, unique=unique,
              complexity=float(np.clip(busy, 0, 1)))


def generate() -> None:
    histograms()
    quality()
