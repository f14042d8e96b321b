"""Golden vectors of tensor/ and search/ beyond pack_nchw."""

import cv2
import numpy as np
from skimage.transform import warp

from golden import lcg, write


def numbers(seed: int, *shape: int) -> np.ndarray:
    """Whole numbers -128..127 from the bytes of the generator: exact in every type."""
    return lcg(seed, *shape).astype(np.float64) - 128


def areas() -> None:
    for seed, (w, h, tw, th) in enumerate([(24, 18, 12, 9), (24, 18, 7, 5), (33, 17, 10, 4)], 120):
        rgba = lcg(seed, h, w, 4)
        rgb = cv2.resize(np.ascontiguousarray(rgba[..., :3]).astype(np.float32), (tw, th), interpolation=cv2.INTER_AREA)
        blob = cv2.dnn.blobFromImage(rgb, 1 / 255, None, (0, 0, 0), swapRB=False)
        write("tensor/pack_nhwc", f"area_rgba8_{w}x{h}_to_{tw}x{th}_s{seed}", "cv2.resize INTER_AREA (CV_32F), channels last", 2e-6,
              "f32 weights in OpenCV", width=w, height=h, seed=seed, to_width=tw, to_height=th,
              out=np.round(blob[0].transpose(1, 2, 0).astype(np.float64), 7))


def crops() -> None:
    for seed, (w, h, box, tw, th) in enumerate([(20, 14, (3, 2, 9, 8), 6, 5), (20, 14, (-4, 5, 12, 13), 12, 13), (17, 9, (10, -3, 12, 9), 7, 6)], 130):
        x, y, bw, bh = box
        rgba = lcg(seed, h, w, 4)
        rgb = np.ascontiguousarray(rgba[..., :3]).astype(np.float32) / 255
        pad = 16
        wide = cv2.copyMakeBorder(rgb, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
        cut = np.ascontiguousarray(wide[y + pad:y + pad + bh, x + pad:x + pad + bw])
        out = cv2.resize(cut, (tw, th), interpolation=cv2.INTER_LINEAR) if (tw, th) != (bw, bh) else cut
        write("resize/crop_resize", f"rgba8_{w}x{h}_box{x}_{y}_{bw}_{bh}_to_{tw}x{th}_s{seed}",
              "cv2.copyMakeBorder BORDER_REPLICATE, slice, cv2.resize INTER_LINEAR (CV_32F)", 2e-6, "f32 coordinates in OpenCV",
              width=w, height=h, seed=seed, x=x, y=y, box_width=bw, box_height=bh, to_width=tw, to_height=th,
              out=np.round(out.astype(np.float64), 7))


def warps() -> None:
    # From pixels of the tensor to pixels of the picture, in parts of 1/32768, so that both sides mean the same map.
    maps = [((12, 11), [1.0, -0.5, 3.25, 0.5, 1.0, -1.5]), ((9, 14), [0.4375, 0.90625, -2.0, -0.875, 0.5, 11.0]),
            ((16, 6), [-1.25, 0.125, 18.0, 0.0625, 2.0, 0.5])]
    for seed, ((tw, th), m) in enumerate(maps, 180):
        w, h = 20, 14
        rgb = lcg(seed, h, w, 4)[..., :3].astype(np.float64) / 255
        a, b, c, d, e, f = m
        # scikit-image counts from the centre of the first pixel.
        index = np.array([[a, b, (a + b) / 2 + c - 0.5], [d, e, (d + e) / 2 + f - 0.5], [0, 0, 1]])
        out = warp(rgb, index, output_shape=(th, tw), order=1, mode="edge")
        write("resize/warp_affine", f"rgba8_{w}x{h}_to_{tw}x{th}_s{seed}", "skimage.transform.warp order=1 mode=edge", 1e-6, "rounded to f32",
              width=w, height=h, seed=seed, to_width=tw, to_height=th, map=m, out=np.round(out, 9))


def vectors() -> None:
    for seed, (n, d) in enumerate([(3, 7), (2, 100)], 140):
        rows = numbers(seed, n, d)
        write("tensor/l2_normalize", f"{n}x{d}_s{seed}", "numpy.linalg.norm", 1e-7, "rounded to f32", rows=n, dim=d, seed=seed,
              out=np.round(rows / np.linalg.norm(rows, axis=1, keepdims=True), 9))
    for seed, (c, w, h, g, p) in enumerate([(3, 7, 5, 2, 0), (2, 14, 14, 3, 3), (2, 9, 7, 2, 2.5)], 150):
        maps = numbers(seed, c, h, w) / 64
        gw, gh = w // g, h // g
        cells = maps[:, :g * gh, :g * gw].reshape(c, g, gh, g, gw)
        out = cells.mean((2, 4)) if p == 0 else (np.maximum(cells, 1e-6) ** p).mean((2, 4)) ** (1 / p)
        write("tensor/grid_pool", f"c{c}_{w}x{h}_g{g}_p{p}_s{seed}", "numpy means of reshaped cells", 1e-6, "rounded to f32", channels=c,
              width=w, height=h, grid=g, p=p, seed=seed, out=np.round(out.transpose(1, 2, 0), 9))
    for seed, k, d in [(42, 16, 40), (7, 5, 33)]:
        matrix = np.random.RandomState(seed).randn(k, d) / np.sqrt(k)
        rows = numbers(160 + k, 2, d)
        write("tensor/random_projection", f"k{k}_d{d}_s{seed}", "numpy.random.RandomState.randn", 1e-4, "matrix rounded to f32", outputs=k,
              inputs=d, seed=160 + k, matrix_seed=seed, matrix=np.round(matrix.ravel()[:8], 8), out=np.round(rows @ matrix.T, 6))
    for seed, (nq, n, d, k, metric) in enumerate([(2, 30, 6, 9, "ip"), (2, 40, 5, 12, "l2")], 170):
        data = numbers(seed, nq + n, d)
        queries, rows = data[:nq], data[nq:]
        scores = queries @ rows.T if metric == "ip" else ((queries[:, None] - rows[None]) ** 2).sum(2)
        order = np.argsort(-scores if metric == "ip" else scores, axis=1, kind="stable")[:, :k]
        write("search/top_k", f"q{nq}_n{n}_d{d}_k{k}_{metric}_s{seed}", "numpy stable argsort", 0, "whole numbers", queries=nq, rows=n, dim=d,
              k=k, metric=metric, seed=seed, ids=order.ravel().astype(np.float64), scores=np.take_along_axis(scores, order, 1))


def generate() -> None:
    areas()
    crops()
    warps()
    vectors()
