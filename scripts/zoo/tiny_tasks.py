"""Tiny graphs of the other tasks. Each computes something that a test can repeat in a few lines; the note in the graph says what."""

import numpy as np
from onnx import TensorProto

from .build import F32, I64, Graph
from .nets import course, loudness, mouth
from .rules import fill_hole, similar_to_points


def nearest(n="batch", h="h", w="w", k=2) -> Graph:
    g = Graph("nearest", f"Every pixel becomes {k}x{k} equal ones.")
    x = g.input("input", [n, 3, h, w])
    big = lambda v: v * k if isinstance(v, int) else f"{v}{k}"
    y = g.Resize(x, "", g.const([1, 1, k, k]), mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")
    g.output(y, "output", [n, 3, big(h), big(w)])
    return g


def local(n="batch", h="h", w="w", k=2) -> Graph:
    """Two 3x3 convolutions before enlarging: a pixel knows no others than those up to two away, so tiles need two of overlap."""
    g = Graph("local", f"x + 0.5 * (x - mean of 3x3 of mean of 3x3), zeros outside, then nearest x{k}: reaches two pixels.")
    x = g.input("input", [n, 3, h, w])
    mean = g.const(np.full((3, 1, 3, 3), 1 / 9))
    soft = g.op("Conv", g.op("Conv", x, mean, group=3, pads=[1] * 4), mean, group=3, pads=[1] * 4)
    y = g.Add(x, g.Mul(g.Sub(x, soft), 0.5))
    y = g.Resize(y, "", g.const([1, 1, k, k]), mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")
    big = lambda v: v * k if isinstance(v, int) else f"{v}{k}"
    g.output(y, "output", [n, 3, big(h), big(w)])
    return g


def luma_cubic(k=3) -> Graph:
    g = Graph("luma_cubic", f"Bicubic enlargement x{k} of one channel (Keys, a = -0.75, half-pixel centres).")
    x = g.input("luma", ["batch", 1, "h", "w"])
    y = g.Resize(x, "", g.const([1, 1, k, k]), mode="cubic", coordinate_transformation_mode="half_pixel")
    g.output(y, "output", ["batch", 1, f"h{k}", f"w{k}"])
    return g


def reddish(g: Graph, x: str, gain: float) -> str:
    """Logit of how much redder than green and blue a pixel is: gain * (r - max(g, b) - 0.5)."""
    r, gr, b = (g.part(x, 1, c, c + 1) for c in range(3))
    return g.Mul(g.Sub(g.Sub(r, g.Max(gr, b)), 0.5), gain)


def segment_alpha(n=1, size=64) -> Graph:
    g = Graph("segment_alpha", "Alpha = sigmoid(40 * (r - max(g, b) - 0.5)): red is the person. NHWC, RGB 0..1.")
    x = g.Transpose(g.input("input_1:0", [n, size, size, 3]), perm=[0, 3, 1, 2])
    y = g.Transpose(g.Sigmoid(reddish(g, x, 40.0)), perm=[0, 2, 3, 1])
    g.output(y, "activation_10", [n, size, size, 1])
    return g


def segment_two(n="batch", size=64) -> Graph:
    g = Graph("segment_two", "Logits [N, background person]: (-l, l) with l = 20 * (r - max(g, b) - 0.5). NCHW, RGB 0..1.")
    l = reddish(g, g.input("image", [n, 3, size, size]), 20.0)
    g.output(g.Concat(g.Neg(l), l, axis=1), "logits", [n, 2, size, size])
    return g


def segment_classes(n=1, size=64, nhwc=True) -> Graph:
    g = Graph("segment_classes", "21 VOC classes: red 15 (person), green 3 (bird), blue 4 (boat), anything else 0.")
    shape = [n, size, size, 3] if nhwc else [n, 3, size, size]
    x = g.input("pixels", shape)
    x = g.Transpose(x, perm=[0, 3, 1, 2]) if nhwc else x
    c = [g.part(x, 1, i, i + 1) for i in range(3)]
    over = lambda i: g.Sub(g.Sub(c[i], g.Max(c[(i + 1) % 3], c[(i + 2) % 3])), 0.5)
    low = g.Sub(g.Mul(c[0], 0.0), 5.0)
    planes = [low] * 21
    planes[0] = g.Mul(c[0], 0.0)
    for plane, channel in ((15, 0), (3, 1), (4, 2)):
        planes[plane] = g.Mul(over(channel), 10.0)
    y = g.Concat(*planes, axis=1)
    g.output(g.Transpose(y, perm=[0, 2, 3, 1]) if nhwc else y, "scores", [n, size, size, 21] if nhwc else [n, 21, size, size])
    return g


def sam_encoder(size=64) -> Graph:
    g = Graph("sam_encoder", "Colours at one, a half and a quarter of the mask's resolution, which is a quarter of the picture's.")
    x = g.input("image", [1, 3, size, size])
    pool = lambda v, k: g.AveragePool(v, kernel_shape=[k, k], strides=[k, k])
    g.output(pool(x, 16), "image_embed", [1, 3, size // 16, size // 16])
    g.output(pool(x, 4), "high_res_feats_0", [1, 3, size // 4, size // 4])
    g.output(pool(x, 8), "high_res_feats_1", [1, 3, size // 8, size // 8])
    return g


def sam_decoder(size=64) -> Graph:
    g = Graph("sam_decoder", "The pixels that look like those under the points with label 1, inside the box of labels 2 and 3.")
    m, k = size // 4, size // 16
    embed = g.input("image_embed", [1, 3, k, k])
    fine = g.input("high_res_feats_0", [1, 3, m, m])
    half = g.input("high_res_feats_1", [1, 3, m // 2, m // 2])
    points = g.input("point_coords", ["num_labels", "num_points", 2])
    labels = g.input("point_labels", ["num_labels", "num_points"])
    previous = g.input("mask_input", ["num_labels", 1, m, m])
    has = g.input("has_mask_input", ["num_labels"])
    silent = g.Mul(g.Add(g.ReduceSum(embed, keepdims=0), g.ReduceSum(half, keepdims=0)), 0.0)
    features = g.Add(fine, silent)
    masks, iou = similar_to_points(g, features, m, 3, size, points, labels, previous, has)
    # As steep as those of trained networks, whose masks hardly change where they are cut at 1 instead of -1.
    g.output(g.Mul(masks, 50.0), "masks", ["num_labels", 3, m, m])
    g.output(iou, "iou_predictions", ["num_labels", 3])
    return g


def inpaint(size=None) -> Graph:
    g = Graph("inpaint", "The hole takes the mean of the known pixels around it, near ones where there are any.")
    h, w = (size, size) if size else ("h", "w")
    n = 1 if size else "batch"
    image, mask = g.input("image", [n, 3, h, w]), g.input("mask", [n, 1, h, w])
    g.output(fill_hole(g, image, mask), "output", [n, 3, h, w])
    return g


def restore_face(size=64) -> Graph:
    g = Graph("restore_face", "w * x + (1 - w) * clip(2 x - mean of 3x3): sharper with less fidelity. RGB -1..1.")
    x = g.input("x", [1, 3, size, size])
    w = g.input("w", [], TensorProto.DOUBLE)
    mean = g.const(np.full((3, 1, 3, 3), 1 / 9))
    soft = g.op("Conv", g.Pad(x, g.ints(0, 0, 1, 1, 0, 0, 1, 1), mode="edge"), mean, group=3)
    sharp = g.Clip(g.Sub(g.Mul(x, 2.0), soft), -1.0, 1.0)
    w = g.Cast(w, to=F32)
    g.output(g.Add(g.Mul(x, w), g.Mul(sharp, g.Sub(1.0, w))), "y", [1, 3, size, size])
    return g


def lowlight(height=48, width=64) -> Graph:
    g = Graph("lowlight", "The square root of each value. RGB 0..1.")
    x = g.input("input", [1, 3, height, width])
    g.output(g.Sqrt(g.Clip(x, 0.0, 1.0)), "output", [1, 3, height, width])
    return g


def vad() -> Graph:
    """The signature of Silero; the state truly matters: it smooths the loudness."""
    g = Graph("vad", "e = mean of squares of all samples; s' = (s + e) / 2 in every element of the state; p = s' / (s' + 0.001).")
    audio = g.input("input", ["batch", "samples"])
    state = g.input("state", [2, "batch", 128])
    rate = g.input("sr", [], I64)
    # The rate must be used, or the runtime would drop the input: 0 * rate.
    nothing = g.Mul(g.Cast(rate, to=F32), 0.0)
    energy = g.Add(g.ReduceMean(g.Mul(audio, audio), axes=[1], keepdims=1), nothing)  # [N,1]
    after = g.Mul(g.Add(state, energy), 0.5)  # [2,N,128]
    smooth = g.Squeeze(g.part(g.part(after, 2, 0, 1), 0, 0, 1), g.ints(0))
    g.output(g.Div(smooth, g.Add(smooth, 0.001)), "output", ["batch", 1])
    g.output(after, "stateN", [2, "batch", 128])
    return g


def embed(n="batch", size=32) -> Graph:
    g = Graph("embed", "features: r, g, b and luma (mean of the three) averaged over 4x4 pixels; vector: the first three over 16x16.")
    x = g.input("input", [n, 3, size, size])
    luma = g.ReduceMean(x, axes=[1], keepdims=1)
    grid = g.AveragePool(g.Concat(x, luma, axis=1), kernel_shape=[4, 4], strides=[4, 4])
    coarse = g.AveragePool(x, kernel_shape=[size // 2] * 2, strides=[size // 2] * 2)
    g.output(grid, "features", [n, 4, size // 4, size // 4])
    g.output(g.Flatten(coarse, axis=1), "vector", [n, 12])
    return g


def reid(n=1) -> Graph:
    g = Graph("reid", "Mean colour (BGR / 255) of four stripes from top to bottom: clothes. NHWC, BGR 0..255.")
    x = g.Transpose(g.input("inputs:0", [n, 64, 32, 3]), perm=[0, 3, 1, 2])
    stripes = g.AveragePool(g.Mul(x, 1 / 255), kernel_shape=[16, 32], strides=[16, 32])
    g.output(g.Flatten(stripes, axis=1), "Identity:0", [n, 12])
    return g


def classify(n="batch") -> Graph:
    g = Graph("classify", "Logits 10 * (r, g, b) averaged over the picture.")
    x = g.input("data", [n, 3, 16, 16])
    g.output(g.Mul(g.ReduceMean(x, axes=[2, 3], keepdims=0), 10.0), "logits", [n, 3])
    return g


def landmarks() -> Graph:
    """468 points on a spiral around the centre of mass of the brightness: they move with it."""
    g = Graph("landmarks", "Point i lies at the centre of brightness + i / 20 pixels at the angle 2.4 i; z = 0. The flag is ln M.")
    size = 64
    x = g.ReduceMean(g.input("input_1", [1, 3, size, size]), axes=[1], keepdims=1)
    total = g.Add(g.ReduceSum(x, g.ints(2, 3), keepdims=1), 1e-6)
    ramp = np.arange(size) + 0.5
    centre = lambda place: g.Div(g.ReduceSum(g.Mul(x, place), g.ints(2, 3), keepdims=1), total)
    cx, cy = centre(g.const(ramp.reshape(1, 1, 1, -1))), centre(g.const(ramp.reshape(1, 1, -1, 1)))
    # The spiral is computed in the graph: sines on the host differ in the last bit between machines.
    i = g.reshape(g.Cast(g.Range(g.const(0, np.int64), g.const(468, np.int64), g.const(1, np.int64)), to=F32), 1, 1, 1, 468, 1)
    angle, radius = g.Mul(i, 2.4), g.Div(i, 20.0)
    five = lambda v: g.Unsqueeze(v, g.ints(4))
    px, py = g.Add(five(cx), g.Mul(radius, g.Cos(angle))), g.Add(five(cy), g.Mul(radius, g.Sin(angle)))
    g.output(g.reshape(g.Concat(px, py, g.Mul(i, 0.0), axis=4), 1, 1, 1, 1404), "conv2d_21", [1, 1, 1, 1404])
    g.output(g.Log(total), "conv2d_31", [1, 1, 1, 1])
    return g


def lips() -> Graph:
    g = Graph("lips", "Five values, the mean of max(0, 1 - brightness / 70) in rows 140..210 and columns 70..154; then as `course`.")
    g.output(course(g, mouth(g, g.input("lips", ["batch", 3, 5, 224, 224]))), "embedding", ["batch", 1024])
    return g


def sound() -> Graph:
    g = Graph("sound", "Five values, the mean of coefficient 0 over columns 4i..4i+4; then as `course`: less their mean, of length 1.")
    g.output(course(g, loudness(g, g.input("audio", ["batch", 1, 13, 20]))), "embedding", ["batch", 1024])
    return g
