"""Pictures, tensors and plain decoders for infer_real.py: OpenCV and NumPy only.

Resizing is done on float32, so that nothing is rounded before normalisation: a bilinear sample at half-pixel centres, as the packing
operations define it. The letterbox is theirs too: the longer side fills, the other one is rounded to nearest, halves up.
"""

import hashlib
import os
from pathlib import Path

import cv2
import numpy as np

DATA = Path(os.environ.get("FRAMELOOM_TESTDATA", "shared/data"))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def picture(name: str) -> np.ndarray:
    """BGR."""
    image = cv2.imread(str(DATA / "images" / name), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"{DATA / 'images' / name} cannot be read: set FRAMELOOM_TESTDATA")
    return image


def frame(video: str, index: int) -> np.ndarray:
    """BGR; every frame up to `index` is decoded, nothing is sought."""
    capture = cv2.VideoCapture(str(DATA / "video" / video))
    for _ in range(index + 1):
        ok, image = capture.read()
        if not ok:
            raise SystemExit(f"{video} has no frame {index}")
    return image


class Packed:
    """A tensor [1,H,W,3] and the way back to pixels of the picture."""

    def __init__(self, bgr, width, height, order="rgb", scale=255.0, mean=0.0, std=1.0, letterbox=None, pad=0.0, box=None):
        x0, y0, w, h = box or (0, 0, bgr.shape[1], bgr.shape[0])
        image = crop(bgr, x0, y0, w, h).astype(np.float32) * np.float32(scale / 255.0)
        nw, nh = width, height
        if letterbox:
            if width * h <= height * w:
                nh = min(height, max(1, int(h * width / w + 0.5)))
            else:
                nw = min(width, max(1, int(w * height / h + 0.5)))
        left, top = ((width - nw) // 2, (height - nh) // 2) if letterbox == "center" else (0, 0)
        tensor = np.full((height, width, 3), pad, np.float32)
        tensor[top : top + nh, left : left + nw] = cv2.resize(image, (nw, nh), interpolation=cv2.INTER_LINEAR)
        if order == "rgb":
            tensor = tensor[:, :, ::-1]
        tensor = (tensor - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
        self.nhwc = np.ascontiguousarray(tensor[None], np.float32)
        self.nchw = np.ascontiguousarray(self.nhwc.transpose(0, 3, 1, 2))
        self.to_picture = (x0, y0, left, top, w / nw, h / nh)
        self.how = {"order": order, "scale": scale, "mean": np.broadcast_to(mean, 3).tolist(), "std": np.broadcast_to(std, 3).tolist(),
                    "fit": f"letterbox {letterbox}, pad {pad}" if letterbox else "stretch",
                    "resize": "cv2.resize INTER_LINEAR of float32", "box": [x0, y0, w, h]}

    def points(self, xy: np.ndarray) -> np.ndarray:
        x0, y0, left, top, sx, sy = self.to_picture
        return (xy - [left, top]) * [sx, sy] + [x0, y0]

    def boxes(self, corners: np.ndarray) -> np.ndarray:
        return np.concatenate([self.points(corners[:, :2]), self.points(corners[:, 2:])], axis=1)


def crop(image, x, y, w, h):
    """A part of a picture; what lies outside repeats the border."""
    rows = np.clip(np.arange(y, y + h), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(x, x + w), 0, image.shape[1] - 1)
    return image[rows][:, columns]


def iou(a, b):
    w = np.clip(np.minimum(a[2], b[:, 2]) - np.maximum(a[0], b[:, 0]), 0, None)
    h = np.clip(np.minimum(a[3], b[:, 3]) - np.maximum(a[1], b[:, 1]), 0, None)
    area = lambda r: (r[..., 2] - r[..., 0]) * (r[..., 3] - r[..., 1])
    return w * h / (area(a) + area(b) - w * h + 1e-12)


def suppress(boxes, scores, classes, threshold):
    """Greedy, within classes; indices, best first."""
    order, kept = list(np.argsort(-scores, kind="stable")), []
    while order:
        best = order.pop(0)
        kept.append(best)
        if order:
            rest = np.array(order)
            hidden = (iou(boxes[best], boxes[rest]) > threshold) & (classes[rest] == classes[best])
            order = list(rest[~hidden])
    return kept


def cells(width, height, stride):
    y, x = np.mgrid[0 : height // stride, 0 : width // stride]
    return x.ravel(), y.ravel()


def yolox(output, size=416):
    rows = []
    for s in (8, 16, 32):
        x, y = cells(size, size, s)
        part, output = output[: len(x)], output[len(x) :]
        cx, cy, w, h = (part[:, 0] + x) * s, (part[:, 1] + y) * s, np.exp(part[:, 2]) * s, np.exp(part[:, 3]) * s
        boxes = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)
        rows.append((boxes, part[:, 4:5] * part[:, 5:]))
    return tuple(np.concatenate(v) for v in zip(*rows))


def nanodet(outputs, size=320):
    rows = []
    for s in (8, 16, 32):
        bins = outputs[f"dis_pred_stride_{s}"][0].reshape(-1, 4, 8).astype(np.float64)
        share = np.exp(bins - bins.max(-1, keepdims=True))
        far = (share / share.sum(-1, keepdims=True) * np.arange(8)).sum(-1) * s
        x, y = cells(size, size, s)
        px, py = (x + 0.5) * s, (y + 0.5) * s
        boxes = np.stack([px - far[:, 0], py - far[:, 1], px + far[:, 2], py + far[:, 3]], 1)
        rows.append((boxes, outputs[f"cls_pred_stride_{s}"][0]))
    return tuple(np.concatenate(v) for v in zip(*rows))


def yunet(outputs, width, height):
    """Boxes, scores, five points."""
    rows = []
    for s in (8, 16, 32):
        x, y = cells(width, height, s)
        b, k = outputs[f"bbox_{s}"][0], outputs[f"kps_{s}"][0].reshape(-1, 5, 2)
        cx, cy, w, h = (b[:, 0] + x) * s, (b[:, 1] + y) * s, np.exp(b[:, 2]) * s, np.exp(b[:, 3]) * s
        score = np.sqrt(np.clip(outputs[f"cls_{s}"][0, :, 0], 0, 1) * np.clip(outputs[f"obj_{s}"][0, :, 0], 0, 1))
        rows.append((np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1), score, (k + np.stack([x, y], 1)[:, None]) * s))
    return tuple(np.concatenate(v) for v in zip(*rows))


def blazeface(regressors, logits):
    x, y = zip(*((cells(128, 128, s)[0].repeat(n) * s + s / 2, cells(128, 128, s)[1].repeat(n) * s + s / 2) for s, n in ((8, 2), (16, 6))))
    x, y, r = np.concatenate(x), np.concatenate(y), regressors
    cx, cy, w, h = r[:, 0] + x, r[:, 1] + y, r[:, 2], r[:, 3]
    points = r[:, 4:].reshape(-1, 6, 2) + np.stack([x, y], 1)[:, None]
    return np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1), 1 / (1 + np.exp(-logits[:, 0].astype(np.float64))), points


#: Where the five points of a face lie in a picture of 112x112 (ArcFace).
ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])


def similarity(points: np.ndarray, target=ARCFACE) -> np.ndarray:
    """The 2x3 matrix of rotation, scale and shift with the least squared error (Umeyama 1991, without reflection)."""
    rows, right = [], []
    for (x, y), (u, v) in zip(points, target):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        right += [u, v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    return np.array([[a, -b, tx], [b, a, ty]])


def aligned(bgr, points) -> np.ndarray:
    """112x112 BGR, bilinear."""
    return cv2.warpAffine(bgr.astype(np.float32), similarity(points), (112, 112), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
