"""Tiny detectors that find what can be computed by hand, written down the way that each family of detectors writes boxes down.

All find one bright rectangle in the left half of the picture and one in the right half: pixels whose brightest channel is above
0.75 (white, red or blue ones; black and the grey of a letterbox are not). Centre and sides come from first and second moments, so an
axis-aligned rectangle of full brightness is found exactly, wherever it lies. The score is M / (M + 1) with M the number of its pixels,
its logit therefore ln M. Five key points lie at fixed places of the box. So every decoder must give the same boxes for the same picture.
"""

import numpy as np

from .build import F32, Graph

CLASSES = 3  # white, red, blue
#: Places of the key points in a box, as shares of width and height.
POINTS = [(0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.8), (0.65, 0.8), (0.5, 0.9)]


class Found:
    """The two rectangles: tensors of shape [N, 2, 1] (left, right)."""

    def __init__(self, g: Graph, rgb: str, width: str, height_line: str, columns: str):
        # rgb [N,3,H,W] in 0..1; columns [1,1,1,W] and rows [1,1,H,1]: centres of pixels.
        self.g = g
        top = g.ReduceMax(rgb, axes=[1], keepdims=1)
        bright = g.Clip(g.Mul(g.Sub(top, 0.75), 4.0), 0.0, 1.0)
        right = g.Cast(g.GreaterOrEqual(columns, g.Mul(width, 0.5)), to=F32)
        halves = g.Concat(g.Sub(1.0, right), right, axis=1)  # [1,2,1,W]
        b = g.Mul(bright, halves)  # [N,2,H,W]
        flat = lambda t: g.ReduceSum(t, g.ints(2, 3), keepdims=0)
        third = lambda t: g.Unsqueeze(t, g.ints(2))
        self.mass = third(flat(b))
        safe = g.Add(self.mass, 1e-6)
        four = lambda t: g.Unsqueeze(t, g.ints(3))

        def axis(place):
            centre = g.Div(third(flat(g.Mul(b, place))), safe)
            away = g.Sub(place, four(centre))
            variance = g.Div(third(flat(g.Mul(b, g.Mul(away, away)))), safe)
            return centre, g.Sqrt(g.Add(g.Mul(variance, 12.0), 1.0))

        self.cx, self.w = axis(columns)
        self.cy, self.h = axis(height_line)
        self.score = g.Div(self.mass, g.Add(self.mass, 1.0))
        # Mean colour of what was found decides on the class.
        means = [third(g.Div(flat(g.Mul(b, g.part(rgb, 1, c, c + 1))), g.Squeeze(safe, g.ints(2)))) for c in range(3)]
        red, green, blue = means
        kinds = [g.Min(*means), g.Sub(red, g.Max(green, blue)), g.Sub(blue, g.Max(red, green))]
        self.classes = g.Clip(g.Concat(*kinds, axis=2), 0.0, 1.0)  # [N,2,3]

    def at(self, value: str, half: str) -> str:
        """The value of the half that each anchor lies in: half [1,n,1] of 0 and 1 -> [N,n,k]."""
        g = self.g
        left, right = g.part(value, 1, 0, 1), g.part(value, 1, 1, 2)
        return g.Add(g.Mul(left, g.Sub(1.0, half)), g.Mul(right, half))


class Anchors:
    """What was found, as seen from the anchors of one level."""

    def __init__(self, g: Graph, found: Found, ax, ay, half: str, reach):
        # ax, ay [1,n,1]: centres of cells; reach: side of a cell.
        at = lambda v: found.at(v, half)
        self.cx, self.cy, self.w, self.h = at(found.cx), at(found.cy), at(found.w), at(found.h)
        away = g.Div(g.Max(g.Abs(g.Sub(self.cx, ax)), g.Abs(g.Sub(self.cy, ay))), reach)
        # 1 in the cell that holds the centre, less in its neighbours, 0 elsewhere.
        self.near = g.Clip(g.Sub(1.5, away), 0.0, 1.0)
        self.score = g.Mul(at(found.score), self.near)
        self.classes = at(found.classes)
        half_w, half_h = g.Mul(self.w, 0.5), g.Mul(self.h, 0.5)
        self.corners = [g.Sub(self.cx, half_w), g.Sub(self.cy, half_h), g.Add(self.cx, half_w), g.Add(self.cy, half_h)]
        x, y = self.corners[:2]
        self.points = [(g.Add(x, g.Mul(self.w, px)), g.Add(y, g.Mul(self.h, py))) for px, py in POINTS]


def grid(width: int, height: int, stride: int):
    """Columns and rows of the cells of a level, row by row."""
    y, x = np.mgrid[0 : height // stride, 0 : width // stride].astype(np.float32)
    return x.reshape(1, -1, 1), y.reshape(1, -1, 1)


def fixed(g: Graph, rgb: str, width: int, height: int) -> Found:
    columns = g.const(np.arange(width).reshape(1, 1, 1, -1) + 0.5)
    rows = g.const(np.arange(height).reshape(1, 1, -1, 1) + 0.5)
    return Found(g, rgb, g.const(float(width)), rows, columns)


def level(g: Graph, found: Found, width: int, height: int, stride: int):
    x, y = grid(width, height, stride)
    centre = lambda v: g.const((v + 0.5) * stride)
    half = g.const(((x + 0.5) * stride >= width / 2).astype(np.float32))
    return x, y, Anchors(g, found, centre(x), centre(y), half, float(stride))


def unit_rgb(g: Graph, x: str, order: str, scale: float, mean=(0, 0, 0), std=(1, 1, 1)) -> str:
    """RGB in 0..1 from what a detector takes."""
    c = lambda v: g.const(np.asarray(v, np.float64).reshape(1, 3, 1, 1) / scale)
    x = g.Add(g.Mul(x, c(std)), c(mean))
    return g.Concat(*[g.part(x, 1, i, i + 1) for i in (2, 1, 0)], axis=1) if order == "bgr" else x


def yolox(n, width=64, height=64) -> Graph:
    g = Graph("yolox_like", "A bright rectangle in each half, as YOLOX writes it: [N, anchors, x y w h objectness classes].")
    found = fixed(g, unit_rgb(g, g.input("images", [n, 3, height, width]), "bgr", 255.0), width, height)
    rows = []
    for s in (8, 16, 32):
        x, y, a = level(g, found, width, height, s)
        xy = [g.Sub(g.Div(a.cx, float(s)), x), g.Sub(g.Div(a.cy, float(s)), y)]
        wh = [g.Log(g.Div(a.w, float(s))), g.Log(g.Div(a.h, float(s)))]
        rows.append(g.Concat(*xy, *wh, a.score, a.classes, axis=2))
    g.output(g.Concat(*rows, axis=1), "output", [n, sum(width * height // s // s for s in (8, 16, 32)), 5 + CLASSES])
    return g


def nanodet(n, width=96, height=64) -> Graph:
    g = Graph("nanodet_like", "As NanoDet writes it: distances to the edges as distributions over 8 bins.")
    std, mean = (57.375, 57.12, 58.395), (103.53, 116.28, 123.675)
    found = fixed(g, unit_rgb(g, g.input("input.1", [n, 3, height, width]), "bgr", 255.0, mean, std), width, height)
    scores, distances = [], []
    bins = g.const(np.arange(8).reshape(1, 1, 1, 8))
    for s in (8, 16, 32):
        x, y, a = level(g, found, width, height, s)
        px, py = g.const((x + 0.5) * s), g.const((y + 0.5) * s)
        l, t, r, b = a.corners
        sides = g.Div(g.Concat(g.Sub(px, l), g.Sub(py, t), g.Sub(r, px), g.Sub(b, py), axis=2), float(s))  # [N,k,4]
        # A level whose bins cannot hold the distances, or whose cell lies outside of the box, stays silent.
        fits = g.And(g.LessOrEqual(g.ReduceMax(sides, axes=[2], keepdims=1), 7.0),
                     g.GreaterOrEqual(g.ReduceMin(sides, axes=[2], keepdims=1), 0.0))
        scores.append((s, g.Mul(g.Mul(a.score, g.Cast(fits, to=F32)), a.classes)))
        tent = g.Sub(1.0, g.Abs(g.Sub(g.Unsqueeze(sides, g.ints(3)), bins)))
        distances.append((s, g.reshape(g.Log(g.Clip(tent, 1e-9, 1.0)), 0, x.size, 32)))
    for s, v in scores:
        g.output(v, f"cls_pred_stride_{s}", [n, width * height // s // s, CLASSES])
    for s, v in distances:
        g.output(v, f"dis_pred_stride_{s}", [n, width * height // s // s, 32])
    return g


def yolov8(n, width=96, height=64) -> Graph:
    g = Graph("yolov8_like", "As YOLOv8 writes it: [N, 4 + classes, anchors], centre and sides in pixels.")
    found = fixed(g, unit_rgb(g, g.input("images", [n, 3, height, width]), "rgb", 1.0), width, height)
    rows = []
    for s in (8, 16, 32):
        _, _, a = level(g, found, width, height, s)
        rows.append(g.Concat(a.cx, a.cy, a.w, a.h, g.Mul(a.score, a.classes), axis=2))
    out = g.Transpose(g.Concat(*rows, axis=1), perm=[0, 2, 1])
    g.output(out, "output0", [n, 4 + CLASSES, sum(width * height // s // s for s in (8, 16, 32))])
    return g


def pair(g: Graph, found: Found) -> Anchors:
    """Two rows, the left and the right rectangle."""
    half = g.const(np.array([0, 1]).reshape(1, 2, 1))
    return Anchors(g, found, found.cx, found.cy, half, 1.0)


def yolo_end_to_end(n, width=96, height=64) -> Graph:
    g = Graph("yolo_end_to_end_like", "As YOLOv10 writes it: [N, rows, x1 y1 x2 y2 score class], nothing to suppress.")
    found = fixed(g, unit_rgb(g, g.input("images", [n, 3, height, width]), "rgb", 1.0), width, height)
    a = pair(g, found)
    kind = g.Cast(g.ArgMax(a.classes, axis=2, keepdims=1), to=F32)
    best = g.Mul(a.score, g.ReduceMax(a.classes, axes=[2], keepdims=1))
    g.output(g.Concat(*a.corners, best, kind, axis=2), "output0", [n, 2, 6])
    return g


def detr(n, softmax: bool, width=96, height=64) -> Graph:
    form = ("detr", "logits with no-object as the last class, softmax") if softmax else ("rtdetr", "one logit a class, sigmoid")
    g = Graph(f"{form[0]}_like", f"As {form[0].upper()} writes it: boxes cx cy w h in shares of the picture; {form[1]}.")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    found = fixed(g, unit_rgb(g, g.input("pixel_values", [n, 3, height, width]), "rgb", 1.0, mean, std), width, height)
    a = pair(g, found)
    score = g.Clip(g.Mul(a.score, a.classes), 1e-6, 0.999999)
    if softmax:
        logits = g.Concat(g.Log(score), g.Log(g.Clip(g.Sub(1.0, a.score), 1e-6, 1.0)), axis=2)
        empty = g.const(np.array([-9.0, -9.0, -9.0, 9.0]).reshape(1, 1, 4))
    else:
        logits = g.Log(g.Div(score, g.Sub(1.0, score)))
        empty = g.const(np.full((1, 1, 3), -9.0))
    size = g.const(np.array([width, height, width, height]).reshape(1, 1, 4))
    boxes = g.Div(g.Concat(a.cx, a.cy, a.w, a.h, axis=2), size)
    # Ten queries; two of them, not the first ones, have found something.
    blank = g.Add(g.Mul(g.part(logits, 1, 0, 1), 0.0), empty)
    nowhere = g.Add(g.Mul(g.part(boxes, 1, 0, 1), 0.0), 0.5)
    place = lambda v, e: g.Concat(e, e, g.part(v, 1, 0, 1), e, e, e, e, g.part(v, 1, 1, 2), e, e, axis=1)
    g.output(place(logits, blank), "logits", [n, 10, 4 if softmax else 3])
    g.output(place(boxes, nowhere), "pred_boxes", [n, 10, 4])
    return g


def yunet(n="batch") -> Graph:
    """Any width and height that are multiples of 32, as the real one."""
    g = Graph("yunet_like", "As YuNet writes it: per stride class, objectness, box and five points; any multiple of 32.")
    image = g.input("input", [n, 3, "height", "width"])
    rgb = unit_rgb(g, image, "bgr", 255.0)
    shape = g.Shape(image)
    side = lambda axis: g.Squeeze(g.part(shape, 0, axis, axis + 1), g.ints(0))
    height, width = side(2), side(3)
    whole = lambda v: g.const(v, np.int64)
    ramp = lambda count: g.Cast(g.Range(whole(0), count, whole(1)), to=F32)
    columns = g.Add(g.reshape(ramp(width), 1, 1, 1, -1), 0.5)
    rows = g.Add(g.reshape(ramp(height), 1, 1, -1, 1), 0.5)
    wide = g.Cast(width, to=F32)
    found = Found(g, rgb, wide, rows, columns)
    parts = {"cls": [], "obj": [], "bbox": [], "kps": []}
    for s in (8, 16, 32):
        across, down = g.Div(width, whole(s)), g.Div(height, whole(s))
        cx, cy = g.reshape(ramp(across), 1, -1), g.reshape(ramp(down), -1, 1)
        flat = lambda v: g.reshape(v, 1, -1, 1)
        x, y = flat(g.Add(cx, g.Mul(cy, 0.0))), flat(g.Add(g.Mul(cx, 0.0), cy))
        px, py = g.Mul(g.Add(x, 0.5), float(s)), g.Mul(g.Add(y, 0.5), float(s))
        half = g.Cast(g.GreaterOrEqual(px, g.Mul(wide, 0.5)), to=F32)
        a = Anchors(g, found, px, py, half, float(s))
        box = [g.Sub(g.Div(a.cx, float(s)), x), g.Sub(g.Div(a.cy, float(s)), y)]
        box += [g.Log(g.Div(a.w, float(s))), g.Log(g.Div(a.h, float(s)))]
        points = [v for kx, ky in a.points[:5] for v in (g.Sub(g.Div(kx, float(s)), x), g.Sub(g.Div(ky, float(s)), y))]
        # score = sqrt(cls * obj): the two are unequal on purpose, their product is score².
        root = g.Sqrt(a.score)
        parts["cls"].append((s, 1, root))
        parts["obj"].append((s, 1, g.Mul(root, a.score)))
        parts["bbox"].append((s, 4, g.Concat(*box, axis=2)))
        parts["kps"].append((s, 10, g.Concat(*points, axis=2)))
    for kind, levels in parts.items():
        for s, k, v in levels:
            g.output(v, f"{kind}_{s}", [n, f"cells_{s}", k])
    return g


def ultraface(n, width=64, height=48) -> Graph:
    g = Graph("ultraface_like", "As UltraFace writes it: scores [N, boxes, background face], boxes x1 y1 x2 y2 in shares.")
    rgb = unit_rgb(g, g.input("input", [n, 3, height, width]), "rgb", 255.0, (127,) * 3, (128,) * 3)
    found = fixed(g, rgb, width, height)
    scores, boxes = [], []
    size = g.const(np.array([width, height, width, height]).reshape(1, 1, 4))
    for s in (8, 16):
        _, _, a = level(g, found, width, height, s)
        scores.append(g.Concat(g.Sub(1.0, a.score), a.score, axis=2))
        boxes.append(g.Div(g.Concat(*a.corners, axis=2), size))
    count = sum(width * height // s // s for s in (8, 16))
    g.output(g.Concat(*scores, axis=1), "scores", [n, count, 2])
    g.output(g.Concat(*boxes, axis=1), "boxes", [n, count, 4])
    return g


def blazeface(n) -> Graph:
    """896 anchors: two in each of 16x16 cells, six in each of 8x8 (strides 8 and 16 of 128)."""
    g = Graph("blazeface_like", "As BlazeFace writes it: [N, 896, cx cy w h + 6 points] from the anchor, in pixels; score as a logit.")
    rgb = unit_rgb(g, g.input("input", [n, 3, 128, 128]), "rgb", 255.0, (127.5,) * 3, (127.5,) * 3)
    found = fixed(g, rgb, 128, 128)
    regressors, logits = [], []
    for s, per_cell in ((8, 2), (16, 6)):
        x, y, a = level(g, found, 128, 128, s)
        px, py = g.const((x + 0.5) * s), g.const((y + 0.5) * s)
        row = [g.Sub(a.cx, px), g.Sub(a.cy, py), a.w, a.h]
        row += [v for kx, ky in a.points for v in (g.Sub(kx, px), g.Sub(ky, py))]
        # The logit of a score: ln(score / (1 - score)), held within ±20.
        p = g.Clip(a.score, 2e-9, 0.999999)
        logit = g.Log(g.Div(p, g.Sub(1.0, p)))
        repeat = lambda v, k: g.reshape(g.Tile(g.Unsqueeze(v, g.ints(2)), g.ints(1, 1, per_cell, 1)), 0, x.size * per_cell, k)
        regressors.append(repeat(g.Concat(*row, axis=2), 16))
        logits.append(repeat(logit, 1))
    g.output(g.Concat(*regressors, axis=1), "regressors", [n, 896, 16])
    g.output(g.Concat(*logits, axis=1), "classificators", [n, 896, 1])
    return g


def scrfd(n, flat=False, width=96, height=64) -> Graph:
    """Two anchors a cell, at its top-left corner. `flat`: without the batch axis, as the usual exports are."""
    g = Graph("scrfd_like", "As SCRFD writes it: per stride scores, distances to the edges and five points, in strides from the anchor.")
    rgb = unit_rgb(g, g.input("input.1", [n, 3, height, width]), "rgb", 255.0, (127.5,) * 3, (128.0,) * 3)
    found = fixed(g, rgb, width, height)
    kinds = {"score": (1, []), "bbox": (4, []), "kps": (10, [])}
    for s in (8, 16, 32):
        x, y, a = level(g, found, width, height, s)
        px, py = g.const(x * s), g.const(y * s)
        l, t, r, b = a.corners
        box = g.Concat(g.Sub(px, l), g.Sub(py, t), g.Sub(r, px), g.Sub(b, py), axis=2)
        points = g.Concat(*[v for kx, ky in a.points[:5] for v in (g.Sub(kx, px), g.Sub(ky, py))], axis=2)
        both = lambda v, k, f: g.reshape(g.Concat(v, g.Mul(v, f), axis=2), 0, x.size * 2, k)
        values = (both(a.score, 1, 0.5), both(g.Div(box, float(s)), 4, 1.0), both(g.Div(points, float(s)), 10, 1.0))
        for (k, found_here), v in zip(kinds.values(), values):
            found_here.append((s, g.reshape(v, -1, k) if flat else v, x.size * 2))
    for kind, (k, levels) in kinds.items():
        for s, v, count in levels:
            g.output(v, f"{kind}_{s}", [count, k] if flat else [n, count, k])
    return g
