"""Golden vectors of resize/."""

import cv2
import numpy as np
from skimage.transform import downscale_local_mean

from golden import lcg, write


def resizes() -> None:
    area = [(64, 48, 32, 24, 1), (64, 48, 16, 16, 1), (33, 17, 11, 17, 1), (34, 18, 17, 9, 4), (64, 48, 37, 29, 1),
            (33, 17, 10, 5, 1), (17, 1, 5, 1, 1), (1, 17, 1, 5, 1), (33, 17, 24, 11, 2), (33, 17, 16, 8, 4), (33, 17, 1, 1, 1)]
    for seed, (w, h, tw, th, c) in enumerate(area, 20):
        src = lcg(seed, h, w, c)
        at = dict(width=w, height=h, seed=seed, channels=c, to_width=tw, to_height=th)
        name = f"{w}x{h}_to_{tw}x{th}_c{c}_s{seed}"
        out = cv2.resize(src, (tw, th), interpolation=cv2.INTER_AREA)
        write("resize/area", f"cv_{name}", "cv2.resize INTER_AREA", 1, "OpenCV weighs in f32 and rounds halves to even", **at, out=out)
        if w % tw == 0 and h % th == 0:
            mean = downscale_local_mean(src.astype(np.float64), (h // th, w // tw, 1))
            write("resize/area", f"sk_{name}", "skimage.transform.downscale_local_mean, halves up", 0,
                  "exact means", **at, out=np.floor(mean + 0.5 + 1e-9).astype(np.uint8))
    linear = [(33, 17, 64, 48, 1), (64, 48, 37, 29, 1), (64, 48, 32, 24, 1), (17, 1, 40, 1, 1), (1, 17, 3, 9, 1),
              (33, 17, 21, 40, 2), (33, 17, 50, 9, 4), (64, 48, 5, 3, 1), (1, 1, 4, 3, 1)]
    for seed, (w, h, tw, th, c) in enumerate(linear, 40):
        src = lcg(seed, h, w, c)
        out = cv2.resize(src, (tw, th), interpolation=cv2.INTER_LINEAR)
        write("resize/bilinear", f"{w}x{h}_to_{tw}x{th}_c{c}_s{seed}", "cv2.resize INTER_LINEAR", 1,
              "OpenCV drops bits between its passes", width=w, height=h, seed=seed, channels=c, to_width=tw, to_height=th, out=out)


def generate() -> None:
    resizes()
