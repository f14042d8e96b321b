"""Golden vectors of blend/."""

import cv2
import numpy as np

from golden import lcg, write


def temporal_blend() -> None:
    w, h, seed = 21, 9, 400
    f, r = lcg(seed, h, w, 4), lcg(seed + 1, h, w, 4)
    for mode, index, count in [("weighted", 0, 5), ("weighted", 3, 5), ("weighted", 4, 5), ("weighted", 100, 301), ("average", 0, 1)]:
        a = index / max(count - 1, 1)
        wf, wr = ((1 - a / 2) / 1.5, (0.5 + a / 2) / 1.5) if mode == "weighted" else (0.5, 0.5)
        # Ties round up, where OpenCV's go to even or as f32 falls.
        out = np.floor(np.round(f * wf + r * wr, 6) + 0.5).astype(np.uint8)
        assert np.abs(out.astype(int) - cv2.addWeighted(f, wf, r, wr, 0)).max() <= 1
        write("blend/temporal_blend", f"{mode}_{index}of{count}_{w}x{h}_s{seed}", "numpy, f64; cv2.addWeighted but for its ties", 0,
              "whole weights, one division", width=w, height=h, seed=seed, mode=mode,
              index=index, count=count, out=out)
    more = f[..., 3:] >= r[..., 3:]
    less = f[..., 3:] <= r[..., 3:]
    for mode, take in [("max_alpha", more), ("min_alpha", less)]:
        write("blend/temporal_blend", f"{mode}_{w}x{h}_s{seed}", "numpy.where", 0, "choice", width=w, height=h, seed=seed, mode=mode,
              index=0, count=1, out=np.where(take, f, r))


def alpha_over() -> None:
    w, h, seed = 48, 32, 410
    top, bottom = lcg(seed, h, w, 4).astype(np.float64), lcg(seed + 1, h, w, 4).astype(np.float64)
    a, b = top[..., 3:] / 255, bottom[..., 3:] / 255
    alpha = a + b * (1 - a)
    half_up = lambda v: np.floor(np.round(v, 9) + 0.5)
    straight = (top[..., :3] * a + bottom[..., :3] * b * (1 - a)) / np.maximum(alpha, 1e-9)
    premultiplied = np.minimum(top[..., :3] + half_up(bottom[..., :3] * (1 - a)), 255)
    for name, colours in [("straight", straight), ("premultiplied", premultiplied)]:
        out = np.concatenate([half_up(colours), half_up(alpha * 255)], -1).astype(np.uint8)
        write("blend/alpha_over", f"{name}_{w}x{h}_s{seed}", "Porter and Duff 1984 in f64", 0, "exact divisions", width=w, height=h,
              seed=seed, alpha=name, out=out)


def feather_composite() -> None:
    w, h, seed, feather = 40, 28, 420, 5
    canvas = lcg(seed, h, w, 4)
    places = [(0, 0, 22, 16), (14, 0, 22, 16), (0, 10, 22, 16), (14, 10, 22, 16), (33, 20, 6, 7)]
    weights, sums, tiles = np.zeros((h, w)), np.zeros((h, w, 4)), []
    for i, (x, y, tw, th) in enumerate(places):
        tile = lcg(seed + 1 + i, th, tw, 4)
        tiles += [seed + 1 + i, x, y, tw, th]
        ramp = lambda n: np.minimum(np.minimum(np.arange(n) + 1, n - np.arange(n)), feather)
        weight = np.outer(ramp(th), ramp(tw))
        weights[y : y + th, x : x + tw] += weight
        sums[y : y + th, x : x + tw] += weight[..., None] * tile
    inside = weights[..., None] > 0
    out = np.where(inside, np.floor(sums / np.maximum(weights, 1)[..., None] + 0.5), canvas).astype(np.uint8)
    write("blend/feather_composite", f"five_tiles_{w}x{h}_s{seed}", "numpy, f64", 0, "integers below 2^53", width=w, height=h, seed=seed,
          feather=feather, tiles=tiles, pixels=int(inside.sum()), out=out)


def generate() -> None:
    temporal_blend()
    alpha_over()
    feather_composite()
