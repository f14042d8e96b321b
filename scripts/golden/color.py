"""Golden vectors of color/."""

import cv2
import numpy as np
from skimage.color import ycbcr2rgb

from golden import lcg, write


def splitmix64(z: np.ndarray) -> np.ndarray:
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def colours() -> None:
    """All 2^24 colours as one number: sum over colours of splitmix64(result << 32 | colour) mod 2^64."""
    i = np.arange(1 << 24, dtype=np.uint64)
    rgb = np.stack([(i >> np.uint64(8 * c)).astype(np.uint8) for c in range(3)], -1).reshape(4096, 4096, 3)

    def mixed(result: np.ndarray) -> str:
        return str(int(splitmix64(result.ravel().astype(np.uint64) << np.uint64(32) | i).sum(dtype=np.uint64)))

    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.uint64)
    words = hsv[..., 0] | hsv[..., 1] << np.uint64(8) | hsv[..., 2] << np.uint64(16)
    exact = "same integer arithmetic"
    write("color/gray_from_rgb", "all_colours", "cv2.cvtColor RGB2GRAY", 0, exact, mixed=mixed(gray))
    write("color/hsv_from_rgb", "all_colours", "cv2.cvtColor RGB2HSV", 0, exact, mixed=mixed(words))
    for w, h, seed in [(33, 17, 7), (17, 1, 8)]:
        rgba = lcg(seed, h, w, 4)
        at = dict(width=w, height=h, seed=seed)
        name = f"lcg_{w}x{h}_s{seed}"
        gray = cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY)
        write("color/gray_from_rgb", name, "cv2.cvtColor RGBA2GRAY", 0, exact, **at, out=gray)
        hsv = cv2.cvtColor(np.ascontiguousarray(rgba[..., :3]), cv2.COLOR_RGB2HSV)
        write("color/hsv_from_rgb", name, "cv2.cvtColor RGB2HSV", 0, exact, **at, out=hsv)


def ranges() -> None:
    """Which pixels have a colour of a range. A hue range that goes through 0 is the union of its two halves, as OpenCV users write it."""
    op, exact = "color/hsv_range", "same integer arithmetic"
    cases = [([0, 50, 50], [10, 255, 255]), ([150, 30, 20], [40, 255, 220]), ([20, 10, 10], [120, 200, 255]),
             ([0, 0, 201], [179, 255, 255])]

    def mask(rgb: np.ndarray, low: list, high: list) -> np.ndarray:
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
        if low[0] <= high[0]:
            return cv2.inRange(hsv, np.array(low), np.array(high))
        upper = cv2.inRange(hsv, np.array(low), np.array([179, *high[1:]]))
        return upper | cv2.inRange(hsv, np.array([0, *low[1:]]), np.array(high))

    i = np.arange(1 << 24, dtype=np.uint64)
    rgb = np.stack([(i >> np.uint64(8 * c)).astype(np.uint8) for c in range(3)], -1).reshape(4096, 4096, 3)
    for n, (low, high) in enumerate(cases):
        all_masks = mask(rgb, low, high).ravel().astype(np.uint64)
        mixed = str(int(splitmix64(all_masks << np.uint64(32) | i).sum(dtype=np.uint64)))
        source = "cv2.cvtColor RGB2HSV, cv2.inRange"
        write(op, f"all_colours_{n}", source, 0, exact, low=low, high=high, mixed=mixed)
        (w, h), seed = [(33, 17), (17, 1), (19, 13), (48, 5)][n], 20 + n
        out = mask(np.ascontiguousarray(lcg(seed, h, w, 4)[..., :3]), low, high)
        write(op, f"lcg_{w}x{h}_s{seed}", source, 0, exact, width=w, height=h, seed=seed, low=low, high=high, out=out)


def yuv() -> None:
    op = "color/rgb_from_yuv"
    for name, code in [("nv12", cv2.COLOR_YUV2RGB_NV12), ("i420", cv2.COLOR_YUV2RGB_I420)]:
        for w, h, seed in [(64, 48, 11), (18, 2, 12)]:
            # OpenCV raises luma below black to black before it converts; the recommendations do not, nor do we.
            src = lcg(seed, h * 3 // 2, w).copy()
            src[:h] = np.maximum(src[:h], 16)
            rgb = cv2.cvtColor(src, code)
            write(op, f"{name}_bt601_limited_nearest_{w}x{h}_s{seed}", f"cv2.cvtColor YUV2RGB_{name.upper()}", 1,
                  "OpenCV rounds its coefficients to three digits; 3 of 100 values differ", kind="frame", format=name, width=w, height=h,
                  seed=seed, luma_at_least=16, out=rgb)
    w, h, seed = 19, 13, 13
    planes = lcg(seed, 3, h, w)
    rgb = np.clip(ycbcr2rgb(planes.transpose(1, 2, 0).astype(np.float64)), 0, 1) * 255
    write(op, f"i444_bt601_limited_{w}x{h}_s{seed}", "skimage.color.ycbcr2rgb, halves up", 0,
          "no value lies close to a half", kind="frame", format="i444", width=w, height=h, seed=seed, luma_at_least=0,
          out=np.floor(rgb + 0.5).astype(np.uint8))
    # The equations of the recommendations, written as they stand there: normalised signals, then the luma equation solved for G.
    cases = []
    rng = np.random.default_rng(5)
    for matrix, kr, kb in [("bt601", 0.299, 0.114), ("bt709", 0.2126, 0.0722), ("bt2020", 0.2627, 0.0593)]:
        for kind in ["limited", "full"]:
            for bits in [8, 10]:
                top, unit = (1 << bits) - 1, 1 << (bits - 8)
                codes = np.vstack([rng.integers(0, top + 1, (14, 3)), [[0, 0, 0], [top, top, top], [0, top, 0], [top, 0, top]]])
                y, cb, cr = codes.T.astype(np.float64)
                if kind == "limited":
                    y, cb, cr = (y / unit - 16) / 219, (cb / unit - 128) / 224, (cr / unit - 128) / 224
                else:
                    y, cb, cr = y / top, (cb - 128 * unit) / top, (cr - 128 * unit) / top
                r, b = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
                g = (y - kr * r - kb * b) / (1 - kr - kb)
                rgb = np.clip(np.stack([r, g, b], -1), 0, 1) * 255
                cases.append(dict(matrix=matrix, range=kind, bits=bits, codes=codes.ravel().tolist(),
                                  rgb=np.round(rgb, 6).ravel().tolist()))
    write(op, "equations_all", "numpy: equations of BT.601-7, BT.709-6, BT.2020-2", 0.502,
          "half a level of rounding and 0.0015 of coefficients", kind="equations", cases=cases)
    w, h, seed = 32, 24, 14
    u = cv2.resize(lcg(seed, h // 2, w // 2), (w, h), interpolation=cv2.INTER_LINEAR)
    write(op, f"chroma_center_{w}x{h}_s{seed}", "cv2.resize INTER_LINEAR of one chroma plane", 1,
          "OpenCV drops bits between its passes", kind="chroma", width=w, height=h, seed=seed, out=u)


def generate() -> None:
    colours()
    ranges()
    yuv()
