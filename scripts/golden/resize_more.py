"""Golden vectors of resize/bicubic and resize/lanczos3."""

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


def generate() -> None:
    resizes()
