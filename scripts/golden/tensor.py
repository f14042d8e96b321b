"""Golden vectors of tensor/."""

import cv2
import numpy as np
from skimage.color import ycbcr2rgb

from golden import lcg, write


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


def greys() -> None:
    op, why = "tensor/pack_nchw", "f32 coordinates in OpenCV"
    w, h, tw, th = 24, 18, 13, 9
    rgba = lcg(97, h, w, 4)
    rgb = cv2.resize(np.ascontiguousarray(rgba[..., :3]).astype(np.float32) / 255, (tw, th), interpolation=cv2.INTER_LINEAR)
    write(op, f"rgba8_{w}x{h}_to_gray_{tw}x{th}_s97", "cv2.resize INTER_LINEAR (CV_32F), cv2.cvtColor RGB2GRAY (CV_32F)", 2e-6, why,
          format="rgba8", width=w, height=h, seed=97, to_width=tw, to_height=th, order="gray", scale=1 / 255, mean=[0, 0, 0],
          out=np.round(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float64), 7))
    data = lcg(98, h * 3 // 2, w).astype(np.float32)
    # Neutral chroma gives grey; scikit-image's matrix then is that of luma alone.
    y = cv2.resize(np.ascontiguousarray(data[:h]), (tw, th), interpolation=cv2.INTER_LINEAR).astype(np.float64)
    gray = np.clip(ycbcr2rgb(np.stack([y, np.full_like(y, 128), np.full_like(y, 128)], -1)), 0, 1)[..., 1]
    write(op, f"i420_bt601_limited_{w}x{h}_to_gray_{tw}x{th}_s98", "cv2.resize INTER_LINEAR (CV_32F), skimage.color.ycbcr2rgb", 4e-6, why,
          format="i420", width=w, height=h, seed=98, to_width=tw, to_height=th, order="gray", scale=1 / 255, mean=[0, 0, 0],
          out=np.round(gray, 7))


def generate() -> None:
    tensors()
    greys()
