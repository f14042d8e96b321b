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


def scene(seed: int, w: int, h: int, c: int) -> np.ndarray:
    """Something to find alike: squares of 8 pixels with 25 codes of noise; the test makes the same."""
    noise = lcg(seed, h, w, c).astype(int) * 25 // 255
    y, x = np.mgrid[0:h, 0:w]
    level = 60 + 90 * ((x // 8 + y // 8) % 2)
    return (level[..., None] + 20 * np.arange(c) + noise).astype(np.uint8)


def non_local() -> None:
    op, exact = "filter/denoise", "the same integers"
    for seed, (w, h, hs, search) in enumerate([(33, 29, 10, 21), (40, 12, 3, 7), (17, 1, 25.5, 21), (3, 2, 10, 21), (26, 24, 60, 31)], 300):
        src = scene(seed, w, h, 1)[..., 0]
        write(op, f"luma_h{hs}_search{search}_{w}x{h}_s{seed}", "cv2.fastNlMeansDenoising", 0, exact, width=w, height=h, seed=seed, mode="luma",
              h=hs, search=search, out=cv2.fastNlMeansDenoising(src, None, hs, 7, search))
    for seed, (w, h, hs, search) in enumerate([(33, 29, 10, 21), (9, 30, 30, 11)], 310):
        src = scene(seed, w, h, 3)
        write(op, f"rgb_h{hs}_search{search}_{w}x{h}_s{seed}", "cv2.fastNlMeansDenoising", 0, exact, width=w, height=h, seed=seed, mode="rgb",
              h=hs, search=search, out=cv2.fastNlMeansDenoising(src, None, hs, 7, search))
        bgr = np.ascontiguousarray(src[..., ::-1])
        out = cv2.fastNlMeansDenoisingColored(bgr, None, hs, 2 * hs, 7, search)[..., ::-1]
        write(op, f"lab_h{hs}_search{search}_{w}x{h}_s{seed}", "cv2.fastNlMeansDenoisingColored", 2, "other fixed-point steps back from L*a*b*",
              width=w, height=h, seed=seed, mode="lab", h=hs, h_color=2 * hs, search=search, out=np.ascontiguousarray(out))
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    rgb = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(1, -1, 3)
    lab = cv2.cvtColor(rgb, cv2.COLOR_LRGB2Lab)
    write(op, "lab_of_18x18x18", "cv2.cvtColor LRGB2Lab, Lab2LRGB", 1, "table entries on a half", mode="colours", lab=lab, rgb=cv2.cvtColor(lab, cv2.COLOR_Lab2LRGB))


def generate() -> None:
    windows()
    non_local()
