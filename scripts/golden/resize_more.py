"""Golden vectors of resize/bicubic, resize/lanczos3 and resize/letterbox."""

import cv2
import numpy as np
import PIL
from PIL import Image

from golden import lcg, write

CASES = [(33, 17, 64, 48, 1), (64, 48, 37, 29, 1), (64, 48, 32, 24, 1), (17, 1, 40, 1, 1), (1, 17, 3, 9, 1), (33, 17, 21, 40, 4),
         (64, 48, 5, 3, 1), (3, 2, 11, 9, 1), (1, 1, 4, 3, 1), (20, 30, 20, 11, 1), (40, 30, 17, 13, 4)]


def resizes() -> None:
    for seed, (w, h, tw, th, c) in enumerate(CASES, 400):
        src = lcg(seed, h, w, c)
        at = dict(width=w, height=h, seed=seed, channels=c, to_width=tw, to_height=th)
        name = f"{w}x{h}_to_{tw}x{th}_c{c}_s{seed}"
        write("resize/bicubic", name, "cv2.resize INTER_CUBIC", 1, "OpenCV scales in f32", **at,
              out=cv2.resize(src, (tw, th), interpolation=cv2.INTER_CUBIC))
        # Channel by channel: Pillow weighs colours of RGBA with alpha.
        planes = [np.asarray(Image.fromarray(src[..., k]).resize((tw, th), Image.Resampling.LANCZOS)) for k in range(c)]
        write("resize/lanczos3", name, f"PIL.Image.resize LANCZOS, Pillow {PIL.__version__}", 0, "the same integers", **at,
              out=np.ascontiguousarray(np.stack(planes, -1)))


def boxes() -> None:
    color = (114, 20, 230, 255)
    for seed, (w, h, tw, th, c) in enumerate([(64, 36, 32, 32, 1), (36, 64, 32, 32, 4), (33, 17, 20, 20, 1), (20, 10, 32, 37, 4), (40, 40, 30, 20, 1)], 430):
        src = lcg(seed, h, w, c)
        if tw * h <= th * w:
            cw, ch = tw, max(1, (2 * h * tw + w) // (2 * w))
        else:
            cw, ch = max(1, (2 * w * th + h) // (2 * h)), th
        x, y = ((tw - cw) // 2, (th - ch) // 2) if seed % 2 == 0 else (0, 0)
        for name, kind in [("bilinear", cv2.INTER_LINEAR), ("area", cv2.INTER_AREA if cw <= w and ch <= h else cv2.INTER_LINEAR)]:
            inner = cv2.resize(src, (cw, ch), interpolation=kind)
            out = cv2.copyMakeBorder(inner, y, th - ch - y, x, tw - cw - x, cv2.BORDER_CONSTANT, value=color[:c] if c > 1 else color[0])
            write("resize/letterbox", f"{name}_{w}x{h}_to_{tw}x{th}_c{c}_s{seed}", "cv2.resize, copyMakeBorder", 1,
                  "OpenCV drops bits between its passes, or weighs in f32", width=w, height=h, seed=seed, channels=c, to_width=tw,
                  to_height=th, filter=name, anchor="center" if seed % 2 == 0 else "top-left", color=list(color), content=[x, y, cw, ch], out=out)


def generate() -> None:
    resizes()
    boxes()
