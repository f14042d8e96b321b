"""Golden vectors of filter/."""

import cv2
import numpy as np

from golden import lcg, write

SHAPES = [(33, 17, 1), (40, 31, 1), (17, 1, 1), (1, 17, 1), (3, 2, 1), (1, 1, 1), (19, 13, 4)]


def same(op: str, name: str, source: str, tolerance: float, why: str, run, shapes=SHAPES, start: int = 0, **params) -> None:
    for seed, (w, h, c) in enumerate(shapes, start):
        src = lcg(seed, h, w, c)
        src = src[..., 0] if c == 1 else src
        write(op, f"{name}_{w}x{h}_c{c}_s{seed}", source, tolerance, why, width=w, height=h, seed=seed, channels=c,
              out=run(np.ascontiguousarray(src)), **params)


def windows() -> None:
    exact = "the same integers"
    small = SHAPES[:1] + SHAPES[4:5] + SHAPES[-1:]
    for n in [3, 5, 7, 9, 11, 15, 21, 31]:
        same("filter/gaussian", f"n{n}", "cv2.GaussianBlur", 0, exact, lambda p: cv2.GaussianBlur(p, (n, n), 0),
             SHAPES if n == 5 else small, 100 + n, size=n, sigma=0)
    for n, sigma in [(31, 5.0), (3, 0.3), (7, 1.1), (13, 50.0), (5, 1.1)]:
        same("filter/gaussian", f"n{n}_sigma{sigma}", "cv2.GaussianBlur", 0, exact,
             lambda p: cv2.GaussianBlur(p, (n, n), sigma), small, 150 + n, size=n, sigma=sigma)
    for n in [1, 2, 3, 4, 6, 7, 8, 12, 13, 16, 17, 31]:
        same("filter/box", f"n{n}", "cv2.blur", 0, exact, lambda p: cv2.blur(p, (n, n)), SHAPES if n == 3 else small, 200 + n, size=n)
    for n in [18, 24]:
        same("filter/box", f"n{n}", "cv2.blur", 1, "OpenCV scales large windows in f32: halves may fall otherwise",
             lambda p: cv2.blur(p, (n, n)), small, 200 + n, size=n)
    same("filter/median3", "n3", "cv2.medianBlur", 0, exact, lambda p: cv2.medianBlur(p, 3), start=250)
    kernel = np.array([[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]], np.float32)
    same("filter/unsharp_mask", "sharpen", "cv2.filter2D", 0, exact, lambda p: cv2.filter2D(p, -1, kernel), start=260, mode="sharpen")
    for n, amount in [(5, 1.5), (9, 0.5), (3, 3.0)]:
        same("filter/unsharp_mask", f"mask{n}_amount{amount}", "cv2.GaussianBlur, addWeighted", 1, "OpenCV rounds halves to even",
             lambda p: cv2.addWeighted(p, 1 + amount, cv2.GaussianBlur(p, (n, n), 0), -amount, 0), small, 270 + n, mode="mask",
             size=n, amount=amount)


def generate() -> None:
    windows()
