"""Golden vectors of the decoders in src/infer/tasks: what numpy, in f64 and over whole arrays, reads out of the same raw outputs.

Raw outputs are made by a formula that the tests repeat: value i of an output is `u * scale + offset`, u = 256 * b[2i] + b[2i + 1] of
`lcg(seed)`, rounded to f32. A seed is taken only when no decision is close: scores and overlaps away from their limits, no two
scores alike. Formulas are those of the papers and of the projects that train the networks.
"""

import numpy as np
from skimage.transform import SimilarityTransform

from golden import lcg, write

TENSOR = (96, 64)
BOX = (40, 30, 480, 240)  # in the picture
CONTENT = (0, 8, 96, 48)  # letterboxed, in the middle
OP = "infer_heads"


class Close(Exception):
    """A decision that f32 may take the other way."""


def raw(seed, shape, scale, offset):
    b = lcg(seed, int(np.prod(shape)), 2).astype(np.float64)
    u = b[:, 0] * 256 + b[:, 1]
    return (u.astype(np.float32) * np.float32(scale) + np.float32(offset)).astype(np.float64).reshape(shape)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x)
    return e / e.sum(-1, keepdims=True)


def cells(stride):
    """Column and line of each cell, line by line."""
    w, h = TENSOR[0] // stride, TENSOR[1] // stride
    y, x = np.mgrid[:h, :w]
    return np.stack([x.ravel(), y.ravel()], -1).astype(np.float64)


def overlap(boxes):
    """Intersection over union of all pairs; boxes are corners."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), -1)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], -1)
    return shared / (area[:, None] + area[None] - shared)


def select(boxes, scores, classes, limit, nms, points=None):
    """Rows x, y, width, height, score, class, points … in pixels of the picture, best first."""
    if np.abs(scores - limit).min() < 1e-5:
        raise Close
    at = np.flatnonzero((scores >= limit) & (boxes[:, 2:] > boxes[:, :2]).all(-1))
    at = at[np.argsort(-scores[at])]
    if len(at) < 6 or len(at) > 60 or (len(at) > 1 and np.abs(np.diff(scores[at])).min() < 1e-6):
        raise Close
    iou = overlap(boxes[at])
    same = classes[at][:, None] == classes[at][None]
    if nms < 1 and np.abs(iou[same] - nms).min() < 1e-4:
        raise Close
    kept = []
    for i in range(len(at)):
        if not any(same[i, k] and iou[i, k] > nms for k in kept):
            kept.append(i)
    if nms < 1 and len(kept) == len(at):
        raise Close  # suppression must have had something to do
    at = at[kept][:12]
    sx, sy = BOX[2] / CONTENT[2], BOX[3] / CONTENT[3]

    def back(xy):
        return (xy - CONTENT[:2]) * (sx, sy) + BOX[:2]

    low, high = back(boxes[at, :2]), back(boxes[at, 2:])
    rows = [low, high - low, scores[at, None], classes[at, None]]
    if points is not None:
        rows.append(back(points[at]).reshape(len(at), -1))
    return np.round(np.concatenate(rows, -1), 5)


def centered(center, sides):
    return np.concatenate([center - sides / 2, center + sides / 2], -1)


# Each takes the outputs by role and gives boxes as corners, scores, classes, points.


def yolox(o):
    p = o["predictions"][0]
    at = np.concatenate([cells(s) for s in (8, 16, 32)])
    s = np.concatenate([np.full((len(cells(s)), 1), s) for s in (8, 16, 32)])
    scores = p[:, 4:5] * p[:, 5:]
    return centered((p[:, :2] + at) * s, np.exp(p[:, 2:4]) * s), scores.max(-1), scores.argmax(-1), None


def yolov5(o):
    p = o["predictions"][0]
    scores = p[:, 4:5] * p[:, 5:]
    return centered(p[:, :2], p[:, 2:4]), scores.max(-1), scores.argmax(-1), None


def nanodet(o):
    boxes, scores = [], []
    for s in (8, 16, 32):
        d = softmax(o[f"distances{s}"][0].reshape(-1, 4, 8)) @ np.arange(8) * s
        c = (cells(s) + 0.5) * s
        boxes.append(np.concatenate([c - d[:, :2], c + d[:, 2:]], -1))
        scores.append(o[f"scores{s}"][0])
    scores = np.concatenate(scores)
    return np.concatenate(boxes), scores.max(-1), scores.argmax(-1), None


def yolov8(o):
    p = o["predictions"][0].T
    return centered(p[:, :2], p[:, 2:4]), p[:, 4:].max(-1), p[:, 4:].argmax(-1), None


def end_to_end(o):
    p = o["predictions"][0]
    return p[:, :4], p[:, 4], np.round(p[:, 5]), None


def detr(o):
    b = o["boxes"][0] * np.tile(TENSOR, 2)
    p = softmax(o["scores"][0])[:, :-1]
    return centered(b[:, :2], b[:, 2:]), p.max(-1), p.argmax(-1), None


def detr_sigmoid(o):
    b = o["boxes"][0] * np.tile(TENSOR, 2)
    p = sigmoid(o["scores"][0])
    return centered(b[:, :2], b[:, 2:]), p.max(-1), p.argmax(-1), None


def pyramid(o, of, per_cell):
    out = []
    for s in (8, 16, 32):
        c = np.repeat(cells(s), per_cell, 0)
        out.append(of(s, c))
    boxes, scores, points = (np.concatenate(v) for v in zip(*out))
    return boxes, scores, np.zeros(len(scores)), points


def yunet(o):
    def level(s, c):
        b, k = o[f"boxes{s}"][0], o[f"points{s}"][0].reshape(-1, 5, 2)
        score = np.sqrt(o[f"scores{s}"][0] * o[f"objects{s}"][0])[:, 0]
        return centered((c + b[:, :2]) * s, np.exp(b[:, 2:]) * s), score, (k + c[:, None]) * s

    return pyramid(o, level, 1)


def scrfd(o):
    def level(s, c):
        b, k = o[f"boxes{s}"][0] * s, o[f"points{s}"][0].reshape(-1, 5, 2) * s
        c = c * s
        return np.concatenate([c - b[:, :2], c + b[:, 2:]], -1), o[f"scores{s}"][0][:, 0], k + c[:, None]

    return pyramid(o, level, 2)


def ultraface(o):
    scores = o["scores"][0][:, 1]
    return o["boxes"][0] * np.tile(TENSOR, 2), scores, np.zeros(len(scores)), None


def blazeface(o):
    at = np.concatenate([np.repeat((cells(s) + 0.5) * s, n, 0) for s, n in ((8, 2), (16, 6))])
    b = o["boxes"][0]
    scores = sigmoid(o["scores"][0][:, 0])
    return centered(at + b[:, :2], b[:, 2:4]), scores, np.zeros(len(scores)), b[:, 4:].reshape(-1, 6, 2) + at[:, None]


UNIT = (1 / 65535, 0)  # 0..=1
SIGNED = (4 / 65535, -2)  # -2..=2
PLUS = (3 / 65535, 0)  # 0..=3
PIXELS = (90 / 65535, 2)
N = sum(len(cells(s)) for s in (8, 16, 32))


def levels(parts):
    return {f"{role}{s}": ([1, len(cells(s)) * n, w], law) for s in (8, 16, 32) for role, (n, w, law) in parts.items()}


# Decoder: task, function, outputs by role, least score, overlap, names of classes. One law for all numbers of an output, so that scores
# of yolox, yolov5, yolov8 and end-to-end share one with their boxes: see `mixed`.
CASES = {
    "nanodet": ("detect", nanodet, levels({"scores": (1, 3, UNIT), "distances": (1, 32, SIGNED)}), 0.9, 0.6, "a,b,c"),
    "detr": ("detect", detr, {"scores": ([1, 40, 4], (8 / 65535, -4)), "boxes": ([1, 40, 4], UNIT)}, 0.8, 1.0, "a,b,c"),
    "detr-sigmoid": ("detect", detr_sigmoid, {"scores": ([1, 40, 3], SIGNED), "boxes": ([1, 40, 4], UNIT)}, 0.8, 0.5, "a,b,c"),
    "yunet": ("face", yunet, levels({"scores": (1, 1, UNIT), "objects": (1, 1, UNIT), "boxes": (1, 4, SIGNED), "points": (1, 10, SIGNED)}), 0.7, 0.3, None),
    "scrfd": ("face", scrfd, levels({"scores": (2, 1, UNIT), "boxes": (2, 4, PLUS), "points": (2, 10, SIGNED)}), 0.85, 0.4, None),
    "ultraface": ("face", ultraface, {"scores": ([1, 200, 2], UNIT), "boxes": ([1, 200, 4], UNIT)}, 0.85, 0.3, None),
    "blazeface": ("face", blazeface, {"scores": ([1, 12 * 8 * 2 + 6 * 4 * 6, 1], SIGNED), "boxes": ([1, 12 * 8 * 2 + 6 * 4 * 6, 16], (40 / 65535, -4))}, 0.85, 0.3, None),
}

# One output in which columns have laws of their own.
MIXED = {
    "yolox": (yolox, [1, N, 8], [SIGNED] * 4 + [UNIT] * 4, -1, 0.7, 0.45, "a,b,c"),
    "yolov5": (yolov5, [1, 3 * N, 8], [PIXELS] * 4 + [UNIT] * 4, -1, 0.8, 0.45, "a,b,c"),
    "yolov8": (yolov8, [1, 7, N], [PIXELS] * 4 + [UNIT] * 3, 1, 0.9, 0.45, "a,b,c"),
    "end-to-end": (end_to_end, [1, 60, 6], [PIXELS] * 4 + [UNIT, (2.4 / 65535, -0.2)], -1, 0.6, 0.3, None),
}


def heads() -> None:
    place = {"tensor": list(TENSOR), "box": list(BOX), "content": list(CONTENT)}
    why = "f32 in the decoder; pixels of the picture, scores"
    for decoder, (task, of, outputs, limit, nms, classes) in CASES.items():
        for seed in range(1000, 60000, 100):
            values = {r: raw(seed + i, shape, *law) for i, (r, (shape, law)) in enumerate(outputs.items())}
            try:
                rows = select(*of(values)[:3], limit, nms, of(values)[3])
            except Close:
                continue
            break
        else:
            raise SystemExit(f"{decoder}: every seed is close")
        listed = [{"role": r, "shape": shape, "seed": seed + i, "axis": -1, "laws": [law]} for i, (r, (shape, law)) in enumerate(outputs.items())]
        write(OP, decoder, f"infer_heads.py {of.__name__}: numpy", 2e-3, why, task=task, decoder=decoder, classes=classes, score=limit, nms=nms,
              outputs=listed, expected=rows.tolist(), **place)
    for decoder, (of, shape, laws, axis, limit, nms, classes) in MIXED.items():
        for seed in range(1000, 60000, 100):
            unit = raw(seed, shape, 1, 0)
            side = [1] * len(shape)
            side[axis] = len(laws)
            scale, offset = (np.float32([law[i] for law in laws]).reshape(side) for i in (0, 1))
            p = (unit.astype(np.float32) * scale + offset).astype(np.float64)
            try:
                rows = select(*of({"predictions": p})[:3], limit, nms)
            except Close:
                continue
            break
        else:
            raise SystemExit(f"{decoder}: every seed is close")
        listed = [{"role": "predictions", "shape": shape, "seed": seed, "axis": axis, "laws": laws}]
        write(OP, decoder, f"infer_heads.py {of.__name__}: numpy", 2e-3, why, task="detect", decoder=decoder, classes=classes, score=limit,
              nms=nms, outputs=listed, expected=rows.tolist(), **place)


ARCFACE = np.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])


def alignment() -> None:
    cases = []
    for seed in range(8):
        points = raw(7000 + seed, [5, 2], 6 / 65535, -3) + ARCFACE
        angle, scale = np.radians(20 * seed - 70), 0.5 + 0.4 * seed
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = np.round(points @ turn.T + (100, 60), 4)
        found = SimilarityTransform.from_estimate(points, ARCFACE)
        side = 112 / found.scale
        middle = found.inverse(np.array([[56.0, 56.0]]))[0]
        cases.append({"points": points.ravel().tolist(), "matrix": np.round(found.params[:2], 7).ravel().tolist(),
                      "crop": np.round([middle[0] - side / 2, middle[1] - side / 2, side, side], 4).tolist(), "roll": -float(found.rotation)})
    write(OP, "align", "skimage.transform.SimilarityTransform.from_estimate", 2e-3, "f32 in the transform; crop in pixels", cases=cases)


def generate() -> None:
    heads()
    alignment()
