"""Parts of graphs whose result can be predicted: what stand-ins for models that paint or cut out do instead of guessing."""

import numpy as np

from .build import F32, Graph


def fill_hole(g: Graph, image: str, mask: str, reaches=(1, 4, 13)) -> str:
    """Known pixels as they are; those under the mask from the mean of the known ones around their cell of 8x8.

    Around is as near as possible: one cell away, then four, then thirteen, at last the whole picture. Linear between the centres of
    cells, so no blocks show. A picture of one colour is filled with that colour. image [N,3,h,w], mask [N,1,h,w], above 0.5 = hole.
    """
    known = g.Sub(1.0, g.Cast(g.Greater(mask, 0.5), to=F32))
    seen = g.Mul(image, known)
    pool = lambda v: g.AveragePool(v, kernel_shape=[8, 8], strides=[8, 8])
    sums, shares = pool(seen), pool(known)
    total = lambda v: g.ReduceSum(v, g.ints(2, 3), keepdims=1)
    fill = g.Div(total(sums), g.Add(total(shares), 1e-6))
    for reach in sorted(reaches, reverse=True):
        k = 2 * reach + 1
        around = lambda v: g.AveragePool(v, kernel_shape=[k, k], strides=[1, 1], pads=[reach] * 4, count_include_pad=1)
        share = around(shares)
        some = g.Cast(g.Greater(g.Mul(share, float(k * k)), 0.5), to=F32)  # half a cell is known
        fill = g.Add(g.Mul(g.Div(around(sums), g.Add(share, 1e-6)), some), g.Mul(fill, g.Sub(1.0, some)))
    fill = g.Resize(fill, "", "", g.Shape(image), mode="linear", coordinate_transformation_mode="half_pixel")
    return g.Add(seen, g.Mul(fill, g.Sub(1.0, known)))


def similar_to_points(g: Graph, features, m: int, channels: int, size: int, points, labels, previous, has):
    """Masks of what looks like the points, as logits [L,3,m,m], and a score for each.

    features [1,c,m,m]; points [L,P,2] in pixels of a picture of `size`; labels [L,P]: 1 in, 0 out, 2 and 3 corners of a box, -1 none.
    Logit = 0.2 - distance of the features to the nearest point with label 1 (0.1, 0.2, 0.4 for the three masks: small, middle,
    large), not where a point with label 0 is nearer, and not outside of a box. With a box and no point, the middle of the box is the
    point. A previous mask, if there is one, adds a tenth of its logits. The middle mask has the best score.
    """
    cell = size // m
    grid = g.Div(points, float(cell))  # in cells of the mask
    label = g.Unsqueeze(labels, g.ints(2))  # [L,P,1]
    is_ = lambda v: g.Cast(g.Less(g.Abs(g.Sub(label, float(v))), 0.5), to=F32)
    inside, outside, low, high = is_(1), is_(0), is_(2), is_(3)
    boxed = g.ReduceMax(low, axes=[1], keepdims=1)  # [L,1,1]
    corner = lambda which: g.ReduceSum(g.Mul(grid, which), g.ints(1), keepdims=1)  # [L,1,2]
    first, last = corner(low), corner(high)
    # With a box and no point in it, its middle stands for one.
    lonely = g.Mul(boxed, g.Sub(1.0, g.ReduceMax(inside, axes=[1], keepdims=1)))
    grid = g.Concat(grid, g.Mul(g.Add(first, last), 0.5), axis=1)
    inside, outside = g.Concat(inside, lonely, axis=1), g.Concat(outside, g.Mul(lonely, 0.0), axis=1)
    cells = g.Clip(g.Floor(grid), 0.0, float(m - 1))
    index = g.Add(g.Mul(g.part(cells, 2, 1, 2), float(m)), g.part(cells, 2, 0, 1))  # [L,P,1]
    flat = g.Transpose(g.reshape(features, channels, m * m), perm=[1, 0])  # [m*m,c]
    under = g.op("Gather", flat, g.Cast(g.Squeeze(index, g.ints(2)), to=7), axis=0)  # [L,P,c]
    # |a - b|² = |a|² - 2ab + |b|²
    square = lambda v, axis: g.ReduceSum(g.Mul(v, v), g.ints(axis), keepdims=1)
    cross = g.MatMul(under, g.Transpose(flat, perm=[1, 0]))  # [L,P,m*m]
    far = g.Add(g.Sub(square(under, 2), g.Mul(cross, 2.0)), g.Transpose(square(flat, 1), perm=[1, 0]))
    far = g.Sqrt(g.Clip(far, 0.0, 1e9))
    nearest = lambda which: g.ReduceMin(g.Add(far, g.Mul(g.Sub(1.0, which), 100.0)), axes=[1], keepdims=1)  # [L,1,m*m]
    like, unlike = nearest(inside), nearest(outside)
    y, x = np.mgrid[0:m, 0:m].astype(np.float32) + np.float32(0.5)
    x, y = g.const(x.reshape(1, 1, -1)), g.const(y.reshape(1, 1, -1))
    side = lambda p, c: g.part(p, 2, c, c + 1)  # [L,1,1]
    beyond = g.Max(g.Sub(side(first, 0), x), g.Sub(x, side(last, 0)), g.Sub(side(first, 1), y), g.Sub(y, side(last, 1)))
    beyond = g.Mul(g.Clip(beyond, 0.0, 1e9), boxed)
    reach = g.const(np.array([0.1, 0.2, 0.4]).reshape(1, 3, 1))
    logits = g.Sub(g.Sub(reach, like), beyond)
    logits = g.Sub(logits, g.Mul(g.Cast(g.Less(unlike, like), to=F32), 1.0))
    masks = g.reshape(logits, -1, 3, m, m)
    masks = g.Add(masks, g.Mul(g.Mul(previous, g.Unsqueeze(has, g.ints(1, 2, 3))), 0.1))
    any_point = g.Squeeze(g.ReduceMax(inside, axes=[1], keepdims=1), g.ints(2))  # [L,1]
    iou = g.Mul(any_point, g.const(np.array([[0.7, 0.9, 0.5]])))
    return masks, iou
