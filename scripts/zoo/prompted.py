"""Stand-ins for SAM 2: an encoder and a decoder that finds what looks like the points."""

import numpy as np

from .build import Graph, uniform
from .manifest import IMAGENET
from .nets import relu, residual, tiny_share
from .rules import similar_to_points


def encoder() -> Graph:
    """A pyramid of convolutions at strides 4, 8 and 16 in the place of Hiera. The first three channels are the mean colours."""
    g = Graph("sam2_encoder", "Mean colours in the first three channels of each map; the others from seeded convolutions.")
    x = g.input("image", [1, 3, 1024, 1024])
    y, maps, c = x, [], 3
    for k, s, wide, blocks in ((7, 4, 96, 1), (3, 2, 144, 2), (3, 2, 192, 6)):
        y = relu(g, g.conv(y, c, wide, k, s, at=f"down{s}.{wide}"))
        c = wide
        for i in range(blocks):
            y = g.Mul(residual(g, y, c, f"stage{wide}.{i}"), 0.8)
        maps.append((y, c))
    for name, (y, c), out, cell in zip(("high_res_feats_0", "high_res_feats_1", "image_embed"), maps, (32, 64, 256), (4, 8, 16)):
        colour = g.AveragePool(x, kernel_shape=[cell, cell], strides=[cell, cell])
        rest = g.conv(y, c, out - 3, 1, at=f"neck.{name}")
        g.output(g.Concat(colour, rest, axis=1), name, [1, out, 1024 // cell, 1024 // cell])
    return g


def decoder() -> Graph:
    """Prompts look at the embedding by cross-attention; the masks follow the colours."""
    g = Graph("sam2_decoder", "Pixels that look like those under the points; the scores say 0.9 for the middle one of three masks.")
    embed = g.input("image_embed", [1, 256, 64, 64])
    fine = g.input("high_res_feats_0", [1, 32, 256, 256])
    half = g.input("high_res_feats_1", [1, 64, 128, 128])
    points = g.input("point_coords", ["num_labels", "num_points", 2])
    labels = g.input("point_labels", ["num_labels", "num_points"])
    previous = g.input("mask_input", ["num_labels", 1, 256, 256])
    has = g.input("has_mask_input", ["num_labels"])
    # Back to colours in 0..1; their mean does not matter for distances.
    colours = g.Mul(g.part(fine, 1, 0, 3), g.const(np.reshape(IMAGENET["std"], (1, 3, 1, 1))))
    masks, iou = similar_to_points(g, colours, 256, 3, 1024, points, labels, previous, has)
    # Cross-attention of each prompt over the 4096 places of the embedding; both other maps take part, so that no input goes unused.
    keys = g.reshape(g.conv(embed, 256, 128, 1, at="keys"), 128, 4096)
    values = g.Transpose(g.reshape(g.conv(embed, 256, 128, 1, at="values"), 128, 4096), perm=[1, 0])
    prompt = g.Concat(g.Div(points, 1024.0), g.Unsqueeze(labels, g.ints(2)), axis=2)
    query = g.MatMul(g.Sin(g.MatMul(prompt, g.const(uniform_matrix(3, 128)))), g.const(uniform_matrix(128, 128) * 0.1))
    seen = g.MatMul(g.Softmax(g.Mul(g.MatMul(query, keys), 128**-0.5), axis=-1), values)
    said = g.ReduceMean(seen, axes=[1, 2], keepdims=0)  # [L]
    context = g.ReduceMean(g.conv(half, 64, 3, 3, at="context"), keepdims=0)
    opinion = tiny_share(g, g.Add(g.Unsqueeze(said, g.ints(1)), context), 0.01)
    g.output(masks, "masks", ["num_labels", 3, 256, 256])
    g.output(g.Add(iou, opinion), "iou_predictions", ["num_labels", 3])
    return g


def uniform_matrix(a: int, b: int) -> np.ndarray:
    return uniform(f"sam2_decoder/{a}x{b}", a, b).astype(np.float32) * 3
