"""Stand-ins that paint: Real-ESRGAN, LaMa, CodeFormer. Their layers run, what they paint follows a rule within 0.02 of the full range."""

import numpy as np
from onnx import TensorProto

from .build import F32, Graph
from .nets import attention, pixel_shuffle, relu, residual, tiny_share, upsampled
from .rules import fill_hole


def leaky(g, x):
    return g.LeakyRelu(x, alpha=0.2)


def esrgan_general_x4(n="batch") -> Graph:
    """SRVGGNetCompact: 64 features, 32 convolutions in the body, PReLU, pixel shuffle, nearest skip (Wang et al. 2021)."""
    g = Graph("realesr_general_x4v3", "Nearest x4 within 0.02; the layers of realesr-general-x4v3, seeded.")
    x = g.input("input", [n, 3, "h", "w"])
    act = lambda y, i: g.PRelu(y, g.const(np.full((64, 1, 1), 0.2), name=f"prelu{i}"))
    y = act(g.conv(x, 3, 64, at="conv0"), 0)
    for i in range(32):
        y = act(g.conv(y, 64, 64, at=f"conv{i + 1}"), i + 1)
    y = pixel_shuffle(g, tiny_share(g, g.conv(y, 64, 48, at="last")), 4)
    g.output(g.Add(y, upsampled(g, x, 4)), "output", [n, 3, "h4", "w4"])
    return g


def esrgan_x2(n="batch") -> Graph:
    """RRDBNet: 23 residual-in-residual dense blocks of 64 features and growth 32, at half of the resolution for x2 (Wang et al. 2018)."""
    g = Graph("realesrgan_x2plus", "Bilinear x2 within 0.02; the layers of RealESRGAN_x2plus, seeded. Width and height are even.")
    x = g.input("input", [n, 3, "h", "w"])
    first = g.conv(g.SpaceToDepth(x, blocksize=2), 12, 64, at="first")
    y = first
    for i in range(23):
        block = y
        for j in range(3):
            parts = [y]
            for k in range(5):
                joined = g.Concat(*parts, axis=1) if k else y
                cin, cout = 64 + 32 * k, 32 if k < 4 else 64
                z = g.conv(joined, cin, cout, gain=0.3 if k == 4 else 1.0, at=f"rrdb{i}.{j}.{k}")
                if k < 4:
                    parts.append(leaky(g, z))
            y = g.Add(y, g.Mul(z, 0.2))
        y = g.Add(block, g.Mul(y, 0.2))
        # Real weights keep this in bounds by training.
        y = g.Mul(y, 1 / 1.2)
    y = g.Add(first, g.conv(y, 64, 64, at="body"))
    for i in range(2):
        y = leaky(g, g.conv(upsampled(g, y, 2), 64, 64, at=f"up{i}"))
    y = g.conv(leaky(g, g.conv(y, 64, 64, at="hr")), 64, 3, at="last")
    g.output(g.Add(tiny_share(g, y), upsampled(g, x, 2, "linear")), "output", [n, 3, "h2", "w2"])
    return g


def lama(size=None) -> Graph:
    """An encoder of three halvings, nine residual blocks whose second half of channels sees the whole picture, a decoder.

    Where LaMa has Fourier convolutions the global half takes the means of rows and columns: as far-reaching, but cheaper. Narrower than
    the real one (24 instead of 64 channels to begin with).
    """
    fixed = f"_{size}" if size else ""
    g = Graph(f"lama{fixed}", "The mean of what is around the hole within 0.02; layers like those of LaMa, narrower, seeded.")
    h, w = (size, size) if size else ("h", "w")
    n = 1 if size else "batch"
    image, mask = g.input("image", [n, 3, h, w]), g.input("mask", [n, 1, h, w])
    hole = g.Cast(g.Greater(mask, 0.5), to=F32)
    y = g.Concat(g.Mul(image, g.Sub(1.0, hole)), hole, axis=1)
    y = relu(g, g.conv(y, 4, 24, 7, at="first"))
    for i, c in enumerate((24, 48, 96)):
        y = relu(g, g.conv(y, c, c * 2, 3, 2, 1, at=f"down{i}"))
    for i in range(9):
        near, far = g.part(y, 1, 0, 96), g.part(y, 1, 96, 192)
        wide = g.Add(g.ReduceMean(far, axes=[2], keepdims=1), g.ReduceMean(far, axes=[3], keepdims=1))
        wide = g.Add(g.conv(wide, 96, 96, 1, at=f"ffc{i}.global"), far)
        y = residual(g, g.Concat(near, g.Mul(wide, 0.5), axis=1), 192, f"ffc{i}")
        y = g.Mul(y, 0.8)
    for i, c in enumerate((192, 96, 48)):
        y = relu(g, g.conv(upsampled(g, y, 2), c, c // 2, at=f"up{i}"))
    detail = g.Mul(tiny_share(g, g.conv(y, 24, 3, 7, at="last")), hole)
    out = g.Clip(g.Add(fill_hole(g, image, mask), detail), 0.0, 1.0)
    # The usual export of fixed size gives 0..255.
    g.output(g.Mul(out, 255.0) if size else out, "output", [n, 3, h, w])
    return g


def codeformer() -> Graph:
    """An encoder down to 16x16 tokens, self-attention over them, a decoder whose features take those of the encoder by the weight."""
    g = Graph("codeformer", "w * x + (1 - w) * (x sharpened) within 0.02; layers like those of CodeFormer, narrower, seeded.")
    x = g.input("x", [1, 3, 512, 512])
    weight = g.Cast(g.reshape(g.input("w", [1], TensorProto.DOUBLE), 1, 1, 1, 1), to=F32)
    y, c, kept = relu(g, g.conv(x, 3, 32, at="first")), 32, []
    for i, wide in enumerate((32, 64, 64, 128, 256)):
        y = residual(g, y, c, f"encoder{i}")
        y = relu(g, g.conv(y, c, wide, 3, 2, 1, at=f"down{i}"))
        c = wide
        kept.append((y, c))
    tokens = g.Transpose(g.reshape(y, 1, 256, 256), perm=[0, 2, 1])
    for i in range(4):
        tokens = attention(g, tokens, 256, f"transformer{i}")
    y = g.reshape(g.Transpose(tokens, perm=[0, 2, 1]), 1, 256, 16, 16)
    for i, wide in enumerate((128, 64, 64, 32, 32)):
        skip, skip_channels = kept[4 - i]
        y = g.Add(y, g.Mul(g.conv(skip, skip_channels, c, 1, gain=0.5, at=f"fuse{i}"), weight))
        y = relu(g, g.conv(upsampled(g, y, 2), c, wide, at=f"up{i}"))
        c = wide
        y = residual(g, y, c, f"decoder{i}")
    mean = g.const(np.full((3, 1, 3, 3), 1 / 9))
    soft = g.op("Conv", g.Pad(x, g.ints(0, 0, 1, 1, 0, 0, 1, 1), mode="edge"), mean, group=3)
    sharp = g.Clip(g.Add(g.Sub(g.Mul(x, 2.0), soft), tiny_share(g, g.conv(y, c, 3, at="last"), 0.04)), -1.0, 1.0)
    g.output(g.Add(g.Mul(x, weight), g.Mul(sharp, g.Sub(1.0, weight))), "y", [1, 3, 512, 512])
    return g
