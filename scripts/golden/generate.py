#!/usr/bin/env python3
"""Golden vectors for the reference: what OpenCV, scikit-image and the text of the standards say.

    python3 -m venv venv && venv/bin/pip install -r scripts/golden/requirements.txt
    venv/bin/python scripts/golden/generate.py            # rewrites tests/golden/

Inputs are made by a formula that the tests repeat (`lcg`), so only outputs are stored. Every file names the function that made
it and the versions of the libraries. `tolerance` is the largest accepted difference and `why` says where it comes from.
"""

import json
import math
import shutil
from pathlib import Path

import cv2
import numpy as np
import skimage
from skimage.color import ycbcr2rgb
from skimage.transform import downscale_local_mean

ROOT = Path(__file__).resolve().parents[2] / "tests" / "golden"
VERSIONS = {"opencv": cv2.__version__, "scikit-image": skimage.__version__, "numpy": np.__version__}


def lcg(seed: int, *shape: int) -> np.ndarray:
    """s = 1664525*s + 1013904223 mod 2^32 from s = seed; byte = s >> 24."""
    s, out = seed, bytearray()
    for _ in range(math.prod(shape)):
        s = (1664525 * s + 1013904223) & 0xFFFFFFFF
        out.append(s >> 24)
    return np.frombuffer(bytes(out), np.uint8).reshape(shape)


def splitmix64(z: np.ndarray) -> np.ndarray:
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def write(op: str, name: str, source: str, tolerance: float, why: str, **fields) -> None:
    for key, value in fields.items():
        if isinstance(value, np.ndarray):
            fields[key] = value.tobytes().hex() if value.dtype == np.uint8 else value.ravel().tolist()
    record = {"source": source, "tolerance": tolerance, "why": why, "versions": VERSIONS, **fields}
    path = ROOT / op / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, separators=(",", ":")).replace('","', '",\n"') + "\n")


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


NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)


def statistics() -> None:
    exact = "integer sums"
    for seed, (w, h) in enumerate([(33, 17), (64, 48), (17, 1), (1, 17), (3, 3), (2, 2), (1, 1)], 60):
        src = lcg(seed, h, w)
        lap = cv2.Laplacian(src, cv2.CV_64F)
        gx, gy = cv2.Sobel(src, cv2.CV_64F, 1, 0, ksize=3), cv2.Sobel(src, cv2.CV_64F, 0, 1, ksize=3)
        noise = np.abs(cv2.filter2D(src, cv2.CV_64F, NOISE))[1:-1, 1:-1].sum()
        (mean, sd), (_, lap_sd) = cv2.meanStdDev(src), cv2.meanStdDev(lap)
        wide = src.astype(np.int64)
        write("stats/luma", f"{w}x{h}_s{seed}", "cv2.Laplacian, Sobel, filter2D (CV_64F), meanStdDev", 0, exact,
              width=w, height=h, seed=seed, dark_code=40, bright_code=200, sum=int(wide.sum()), sum_sq=int((wide**2).sum()),
              lap_sum=int(lap.sum()), lap_sum_sq=int((lap**2).sum()), tenengrad_sum=int((gx**2 + gy**2).sum()),
              noise_sum=int(noise), dark=int((src <= 40).sum()), bright=int((src >= 200).sum()),
              mean=mean.item(), variance=sd.item() ** 2, laplacian_variance=lap_sd.item() ** 2)
        for bins, step in [(256, 1), (32, 1), (100, 3), (2, 2)]:
            hist = cv2.calcHist([np.ascontiguousarray(src[::step])], [0], None, [bins], [0, 256]).astype(np.int64)
            if h > 1 or step == 1:
                write("histogram/luma", f"{w}x{h}_b{bins}_step{step}_s{seed}", "cv2.calcHist", 0, exact, width=w, height=h,
                      seed=seed, bins=bins, row_step=step, out=hist)
        for threshold in [0, 30, 254]:
            d = cv2.absdiff(src, lcg(seed + 1000, h, w))
            write("motion/frame_difference", f"{w}x{h}_t{threshold}_s{seed}", "cv2.absdiff", 0, exact, width=w, height=h,
                  seed=seed, threshold=threshold, sum_abs=int(d.sum(dtype=np.int64)), over=int((d > threshold).sum()))
    w, h, seed, count = 17, 9, 80, 6
    frames = [lcg(seed + t, h, w) for t in range(count)]
    for mode, threshold in [("count-over", 30), ("sum-abs", 0), ("sum-values", 0)]:
        heat = np.zeros((h, w), np.float64)
        for t, frame in enumerate(frames):
            d = cv2.absdiff(frame, frames[t - 1]) if t else np.zeros_like(frame)
            step = {"count-over": cv2.threshold(d, threshold, 1, cv2.THRESH_BINARY)[1], "sum-abs": d, "sum-values": frame}[mode]
            cv2.accumulate(step, heat)
        write("heatmap/accumulate", f"{mode}_{w}x{h}_n{count}_s{seed}", "cv2.absdiff, threshold, accumulate (CV_64F)", 0, exact,
              width=w, height=h, seed=seed, frames=count, mode=mode, threshold=threshold, out=heat.astype(np.int64))


def tensors() -> None:
    op = "tensor/pack_nchw"
    w, h = 24, 18
    for seed, (tw, th) in enumerate([(24, 18), (13, 9), (31, 20), (12, 9)], 90):
        rgba = lcg(seed, h, w, 4)
        rgb = np.ascontiguousarray(rgba[..., :3]).astype(np.float32)
        if (tw, th) != (w, h):
            rgb = cv2.resize(rgb, (tw, th), interpolation=cv2.INTER_LINEAR)
        blob = cv2.dnn.blobFromImage(rgb, 1 / 128, None, (127.5, 110.0, 90.0), swapRB=seed % 2 == 1)
        # blobFromImage takes the mean in the order of its output.
        write(op, f"rgba8_{w}x{h}_to_{tw}x{th}_s{seed}", "cv2.resize INTER_LINEAR (CV_32F), cv2.dnn.blobFromImage", 1e-6,
              "f32 coordinates and sums in OpenCV", format="rgba8", width=w, height=h, seed=seed, to_width=tw, to_height=th,
              order="bgr" if seed % 2 else "rgb", scale=1 / 128, mean=[127.5, 110.0, 90.0], out=np.round(blob.astype(np.float64), 7))
    for seed, (tw, th) in enumerate([(13, 9), (40, 31)], 95):
        # Centre-sited chroma on an even picture: a resize of the chroma plane looks at the same places.
        data = lcg(seed, h * 3 // 2, w).astype(np.float32)
        planes = [data[:h], data[h:].reshape(2, h // 2, w // 2)[0], data[h:].reshape(2, h // 2, w // 2)[1]]
        y, cb, cr = [cv2.resize(np.ascontiguousarray(p), (tw, th), interpolation=cv2.INTER_LINEAR).astype(np.float64) for p in planes]
        rgb = np.clip(ycbcr2rgb(np.stack([y, cb, cr], -1)), 0, 1)
        write(op, f"i420_bt601_limited_center_{w}x{h}_to_{tw}x{th}_s{seed}", "cv2.resize INTER_LINEAR (CV_32F), skimage.color.ycbcr2rgb",
              4e-6, "f32 coordinates in OpenCV", format="i420", width=w, height=h, seed=seed, to_width=tw, to_height=th, order="rgb",
              scale=1 / 255, mean=[0, 0, 0], out=np.round(rgb.transpose(2, 0, 1), 7))


if __name__ == "__main__":
    shutil.rmtree(ROOT, ignore_errors=True)
    colours()
    yuv()
    resizes()
    statistics()
    tensors()
    files = sorted(ROOT.rglob("*.json"))
    print(f"{len(files)} files, {sum(f.stat().st_size for f in files)} bytes")
