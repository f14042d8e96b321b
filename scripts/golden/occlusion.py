"""Golden vectors of occlusion/. The random words and everything drawn from them are worked out here once more, with integers of any
length and numpy's correctly rounded square root."""

import cv2
import numpy as np

from golden import lcg, write

ROUNDING = "integers"


def pcg4d(*v: int) -> list[int]:
    """Jarzynski and Olano 2020."""
    mask = 0xFFFFFFFF
    x, y, z, w = [(1664525 * i + 1013904223) & mask for i in v]
    for turn in range(2):
        x = (x + y * w) & mask
        y = (y + z * x) & mask
        z = (z + x * y) & mask
        w = (w + y * z) & mask
        if turn == 0:
            x, y, z, w = [i ^ (i >> 16) for i in (x, y, z, w)]
    return [x, y, z, w]


def edge_blur() -> None:
    bands = {
        "left": lambda a, n: np.s_[:, :n],
        "right": lambda a, n: np.s_[:, a.shape[1] - n:],
        "top": lambda a, n: np.s_[:n],
        "bottom": lambda a, n: np.s_[a.shape[0] - n:],
    }
    cases = [("left", 15, 0.25, 61, 40), ("right", 15, 0.25, 61, 40), ("bottom", 15, 0.25, 61, 40), ("top", 4, 0.5, 33, 17),
             ("left", 1, 0.5, 20, 9), ("right", 2, 0.34, 20, 9), ("bottom", 3, 1.0, 9, 5), ("left", 40, 0.3, 23, 11), ("top", 100, 1.0, 7, 3)]
    for seed, (side, radius, share, w, h) in enumerate(cases, 300):
        src = lcg(seed, h, w, 4)
        n = int((w if side in ("left", "right") else h) * share + 1e-9)
        size = (2 * radius + 1, 2 * radius + 1)
        for inside in ["band", "picture"]:
            out, where = src.copy(), bands[side](src, n)
            if inside == "band":
                out[where] = cv2.GaussianBlur(np.ascontiguousarray(src[where]), size, 0)
            else:
                out[where] = cv2.GaussianBlur(src, size, 0)[where]
            out[..., 3] = src[..., 3]
            write("occlusion/edge_blur", f"{side}_r{radius}_{inside}_{w}x{h}_s{seed}", "cv2.GaussianBlur of the band, or the band of it",
                  0, "fixed-point taps and rounding of OpenCV's 8-bit path", width=w, height=h, seed=seed, side=side, radius=radius,
                  share=share, inside=inside, out=out)


def overlay() -> None:
    w, h, seed = 30, 8, 320
    src = lcg(seed, h, w, 4)
    colour = np.array([50, 200, 0, 0], np.uint8)
    part = np.s_[:, 5:17]
    full = np.broadcast_to(colour, src[part].shape).copy()
    for name, mode, opacity, out in [
        ("blend_third", "blend", 1 / 3, cv2.addWeighted(src[part], 2 / 3, full, 1 / 3, 0)),
        ("blend_all", "blend", 1.0, full),
        ("add_03", "add", 0.3, cv2.addWeighted(src[part], 1.0, full, 0.3, 0)),
    ]:
        result = src.copy()
        result[part] = out
        result[..., 3] = src[..., 3]
        write("occlusion/overlay", f"{name}_{w}x{h}_s{seed}", "cv2.addWeighted", 0, "no ties for these shares", width=w, height=h,
              seed=seed, mode=mode, opacity=opacity, x=5, columns=12, out=result)


def noise(draw: tuple[int, int], w: int, h: int, stream: int = 1) -> np.ndarray:
    words = [[pcg4d(*draw, y * w + x, stream)[:3] for x in range(w)] for y in range(h)]
    return (np.array(words, np.uint64) >> np.uint64(24)).astype(np.uint8)


def erase() -> None:
    w, h, seed, draw = 40, 30, 330, (9, 1234)
    src = lcg(seed, h, w, 4)
    area, aspect, count = (0.05, 0.3), (0.5, 2.0), 4
    inside = np.zeros((h, w), bool)
    rects = []
    for i in range(count):
        if pcg4d(*draw, 16 * i + 15, 2)[0] >> 16 >= round(0.8 * 65536):
            continue
        for attempt in range(10):
            a, b, c, d = pcg4d(*draw, 16 * i + attempt, 2)
            pixels = w * h * (area[0] + (area[1] - area[0]) * (a / 2**32))
            ratio = aspect[0] + (aspect[1] - aspect[0]) * (b / 2**32)
            rw, rh = (max(1, int(np.floor(np.sqrt(v) + 0.5))) for v in (pixels / ratio, pixels * ratio))
            if rw <= w and rh <= h:
                x, y = c * (w - rw + 1) >> 32, d * (h - rh + 1) >> 32
                inside[y : y + rh, x : x + rw] = True
                rects.append([x, y, rw, rh])
                break
    mean = [(int(src[..., c].sum(dtype=np.int64)) + w * h // 2) // (w * h) for c in range(3)]
    for fill, colour in [("constant", np.array([1, 2, 3], np.uint8)), ("mean", np.array(mean, np.uint8)), ("noise", noise(draw, w, h))]:
        out = src.copy()
        out[..., :3] = np.where(inside[..., None], colour, src[..., :3])
        write("occlusion/erase", f"{fill}_{w}x{h}_s{seed}", "pcg4d and rectangles in Python integers", 0, ROUNDING, width=w, height=h,
              seed=seed, draw=list(draw), count=count, probability=0.8, area=list(area), aspect=list(aspect), fill=fill,
              rects=sum(rects, []), pixels=int(inside.sum()), out=out)


def grid_mask() -> None:
    w, h, seed = 45, 37, 340
    src = lcg(seed, h, w)
    y, x = np.mgrid[0:h, 0:w].astype(np.int64)
    for period, ratio, offset, degrees in [(9, 0.6, (4, 2), 0), (12, 0.5, (3, 11), 30), (7, 0.4, (0, 0), 200), (16, 0.25, (5, 6), 90)]:
        hole = period - int(np.floor(period * ratio + 0.5))
        u, v = x, y
        if degrees:
            cos, sin = (int(np.rint(f(np.deg2rad(degrees)) * 16384)) for f in (np.cos, np.sin))
            dx, dy = 2 * x + 1 - w, 2 * y + 1 - h
            u, v = np.floor((cos * dx + sin * dy) / 32768).astype(np.int64), np.floor((cos * dy - sin * dx) / 32768).astype(np.int64)
        inside = (np.mod(u + offset[0], period) < hole) & (np.mod(v + offset[1], period) < hole)
        out = np.where(inside, np.uint8(7), src)
        write("occlusion/grid_mask", f"p{period}_d{degrees}_{w}x{h}_s{seed}", "numpy", 0, ROUNDING, width=w, height=h, seed=seed,
              period=period, ratio=ratio, offset=list(offset), degrees=degrees, pixels=int(inside.sum()), out=out)


def hide_and_seek() -> None:
    w, h, seed, draw = 37, 22, 350, (5, 77)
    src = lcg(seed, h, w)
    for cells, probability in [(4, 0.5), (7, 0.25), (33, 0.6)]:
        hidden = np.array([pcg4d(*draw, i, 3)[0] >> 16 < round(probability * 65536) for i in range(cells * cells)]).reshape(cells, cells)
        inside = hidden[np.arange(h)[:, None] * cells // h, np.arange(w)[None] * cells // w]
        out = np.where(inside, np.uint8(200), src)
        write("occlusion/hide_and_seek", f"g{cells}_{w}x{h}_s{seed}", "pcg4d in Python integers, numpy", 0, ROUNDING, width=w, height=h,
              seed=seed, draw=list(draw), cells=cells, probability=probability, pixels=int(inside.sum()), out=out)


def paste_object() -> None:
    """In floats, colours weighted by alpha: the fixed-point weights are up to 1/512 off, which moves a result by at most 1."""
    w, h, seed = 24, 18, 360
    src = lcg(seed, h, w, 4)
    obj = lcg(seed + 1, 6, 9, 4).copy()
    obj[:2, :, 3] = 255
    obj[4:, :3, 3] = 0
    for scale, opacity, px, py in [(1.0, 1.0, 4, 3), (2.0, 1.0, -3, 5), (0.75, 0.5, 10, 10), (1.6, 0.25, 15, -2)]:
        tw, th = (max(1, int(np.floor(v * scale + 0.5))) for v in (9, 6))
        alpha = obj[..., 3:].astype(np.float64) / 255
        pre = cv2.resize(np.concatenate([obj[..., :3] * alpha, alpha], -1), (tw, th), interpolation=cv2.INTER_LINEAR)
        out = src.astype(np.float64)
        for j in range(th):
            for i in range(tw):
                x, y = px + i, py + j
                if 0 <= x < w and 0 <= y < h:
                    out[y, x, :3] = src[y, x, :3] * (1 - pre[j, i, 3] * opacity) + pre[j, i, :3] * opacity
        out = np.floor(out + 0.5).astype(np.uint8)
        write("occlusion/paste_object", f"scale{scale}_o{opacity}_{w}x{h}_s{seed}", "cv2.resize (f64) of premultiplied colours, numpy", 1,
              "weights in 256ths", width=w, height=h, seed=seed, scale=scale, opacity=opacity, x=px, y=py,
              object=obj, object_width=9, object_height=6, out=out)


def generate() -> None:
    edge_blur()
    overlay()
    erase()
    grid_mask()
    hide_and_seek()
    paste_object()
