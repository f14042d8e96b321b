"""Layers that several stand-ins share, and the feature networks: MobileNetV3-Small, EfficientNet-B0, SyncNet."""

from .build import Graph, he


def relu(g, x):
    return g.Relu(x)


def swish(g, x):
    return g.Mul(x, g.Sigmoid(x))


def squeeze(g, x, c, inner, act, gate, at):
    """Squeeze-and-excitation: channels weighted by what a small network says of their means (Hu et al. 2018)."""
    s = g.GlobalAveragePool(x)
    s = act(g, g.conv(s, c, inner, 1, at=f"{at}.fc1"))
    s = g.conv(s, inner, c, 1, at=f"{at}.fc2")
    return g.Mul(x, g.HardSigmoid(s, alpha=1 / 6, beta=0.5) if gate == "hard" else g.Sigmoid(s))


def inverted(g, x, cin, expand, cout, k, s, inner, act, gate, at):
    """Inverted residual: widen, filter each channel, weigh channels, narrow without activation (Sandler et al. 2018)."""
    y = x
    if expand != cin:
        y = act(g, g.conv(y, cin, expand, 1, at=f"{at}.expand"))
    y = act(g, g.conv(y, expand, expand, k, s, groups=expand, at=f"{at}.depthwise"))
    if inner:
        y = squeeze(g, y, expand, inner, relu if gate == "hard" else act, gate, f"{at}.se")
    # Gates and activations take more away than He et al. reckon with.
    y = g.conv(y, expand, cout, 1, gain=1.0 if gate == "hard" else 1.15, at=f"{at}.project")
    return g.Add(x, y) if s == 1 and cin == cout else y


def mobilenet_v3_small(n="batch") -> Graph:
    """Howard et al. 2019, table 2, up to the last layer of stride 16."""
    g = Graph("mobilenet_v3_small_features", "MobileNetV3-Small up to stride 16, seeded weights.")
    hard = lambda g, x: g.HardSwish(x)
    x = hard(g, g.conv(g.input("input", [n, 3, 224, 224]), 3, 16, 3, 2, at="stem"))
    rows = [  # kernel, expanded, out, squeezed, activation, stride
        (3, 16, 16, 8, relu, 2), (3, 72, 24, 0, relu, 2), (3, 88, 24, 0, relu, 1), (5, 96, 40, 24, hard, 2), (5, 240, 40, 64, hard, 1),
        (5, 240, 40, 64, hard, 1), (5, 120, 48, 32, hard, 1), (5, 144, 48, 40, hard, 1),
    ]
    c = 16
    for i, (k, expand, out, inner, act, s) in enumerate(rows):
        x, c = inverted(g, x, c, expand, out, k, s, inner, act, "hard", f"block{i}"), out
    g.output(x, "features", [n, 48, 14, 14])
    return g


def efficientnet_b0(n="batch") -> Graph:
    """Tan and Le 2019, table 1, up to the stage of 112 channels."""
    g = Graph("efficientnet_b0_features", "EfficientNet-B0 up to stride 16, seeded weights.")
    x = swish(g, g.conv(g.input("input", [n, 3, 224, 224]), 3, 32, 3, 2, at="stem"))
    c = 32
    stages = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3)]
    for stage, (t, k, stride, out, repeats) in enumerate(stages):
        for i in range(repeats):
            s = stride if i == 0 else 1
            x = inverted(g, x, c, c * t, out, k, s, max(1, c // 4), swish, "soft", f"stage{stage}.{i}")
            c = out
    g.output(x, "features", [n, 112, 14, 14])
    return g


def syncnet_head(g, x, at):
    x = relu(g, g.dense(g.Flatten(x, axis=1), 512, 512, f"{at}.fc1"))
    return g.dense(x, 512, 1024, f"{at}.fc2")


def syncnet_lips(n="batch") -> Graph:
    """The tower of pictures (Chung and Zisserman 2016): five frames become one by the first layer."""
    g = Graph("syncnet_lips", "SyncNet's tower of pictures, seeded weights; five values that follow the mouth are added.")
    x = g.input("lips", [n, 3, 5, 224, 224])
    layer = lambda y, cin, cout, k, s=1, p=0, at="": relu(g, g.conv(y, cin, cout, k, s, p, at=at))
    pool = lambda y, p=0: g.MaxPool(y, kernel_shape=[1, 3, 3], strides=[1, 2, 2], pads=[0, p, p] * 2)
    y = g.Mul(x, 1 / 255)
    y = pool(layer(y, 3, 96, (5, 7, 7), (1, 2, 2), at="conv1"))
    y = pool(layer(y, 96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1), at="conv2"), 1)
    for i in (3, 4, 5):
        y = layer(y, 256, 256, (1, 3, 3), p=(0, 1, 1), at=f"conv{i}")
    y = layer(pool(y), 256, 512, (1, 6, 6), at="conv6")
    g.output(told(g, syncnet_head(g, y, "lips"), mouth(g, x)), "embedding", [n, 1024])
    return g


def syncnet_audio(n="batch") -> Graph:
    """The tower of sound: 13 cepstral coefficients by 20 columns of 10 ms."""
    g = Graph("syncnet_audio", "SyncNet's tower of sound, seeded weights; five values that follow the loudness are added.")
    x = g.input("audio", [n, 1, 13, 20])
    layer = lambda y, cin, cout, k=3, p=1, at="": relu(g, g.conv(y, cin, cout, k, 1, p, at=at))
    y = layer(g.Mul(x, 1 / 64), 1, 64, at="conv1")
    y = layer(y, 64, 192, at="conv2")
    y = g.MaxPool(y, kernel_shape=[3, 3], strides=[1, 2])
    for i, (cin, cout) in enumerate(((192, 384), (384, 256), (256, 256))):
        y = layer(y, cin, cout, at=f"conv{i + 3}")
    y = g.MaxPool(y, kernel_shape=[3, 3], strides=[2, 2])
    y = layer(y, 256, 512, (5, 4), 0, at="conv6")
    g.output(told(g, syncnet_head(g, y, "audio"), loudness(g, x)), "embedding", [n, 1024])
    return g


def mouth(g, lips):
    """How open the mouth is in each of five pictures: an open one is dark inside. [N,3,5,224,224] of 0..255 -> [N,5].

    The mean of max(0, 1 - brightness / 70) over rows 140..210 and columns 70..154, where the mouth lies when the picture is a face.
    """
    grey = g.ReduceMean(g.part(g.part(lips, 3, 140, 210), 4, 70, 154), axes=[1], keepdims=0)
    return g.ReduceMean(g.Relu(g.Sub(1.0, g.Div(grey, 70.0))), axes=[2, 3], keepdims=0)


def loudness(g, audio):
    """The first coefficient, which is the loudness, averaged over four columns at a time. [N,1,13,20] -> [N,5]."""
    return g.Div(g.ReduceMean(g.reshape(g.part(audio, 2, 0, 1), 0, 5, 4), axes=[2], keepdims=0), 64.0)


def told(g, embedding, five):
    """A small share of what the network says, and five values in the place of the first five: distances follow the rule, time is the
    network's."""
    return g.Add(g.Mul(embedding, 1e-4), course(g, five))


def course(g, five):
    """How five values rise and fall, whatever their mean and size: [N,5] -> [N,1024], of length 1 in the first five, zeros behind.

    The squared distance of two such vectors is 2 - 2 r with r Pearson's correlation. Values that do not change give zeros.
    """
    five = g.Sub(five, g.ReduceMean(five, axes=[1], keepdims=1))
    length = g.Sqrt(g.ReduceSum(g.Mul(five, five), g.ints(1), keepdims=1))
    return g.Pad(g.Div(five, g.Add(length, 1e-4)), g.ints(0, 0, 0, 1019))


def residual(g, x, c, at, act=relu):
    """Two 3x3 convolutions around which the input goes."""
    y = act(g, g.conv(x, c, c, 3, at=f"{at}.1"))
    return g.Add(x, g.conv(y, c, c, 3, gain=0.5, at=f"{at}.2"))


def attention(g, x, dim, at, heads=4):
    """Self-attention and a perceptron, both around which the input goes; x [N, tokens, dim]."""
    def linear(v, a, b, name, gain=1.0):
        return g.MatMul(v, g.const(he(f"{g.name}/{at}.{name}", b, a, gain=gain).T, name=f"{at}.{name}"))

    def normal(v):
        mean = g.ReduceMean(v, axes=[-1], keepdims=1)
        d = g.Sub(v, mean)
        return g.Div(d, g.Sqrt(g.Add(g.ReduceMean(g.Mul(d, d), axes=[-1], keepdims=1), 1e-5)))

    split = lambda v: g.Transpose(g.reshape(v, 0, 0, heads, dim // heads), perm=[0, 2, 1, 3])
    y = normal(x)
    q, k, v = (split(linear(y, dim, dim, n, 0.7)) for n in "qkv")
    weight = g.Softmax(g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), float((heads / dim) ** 0.5)), axis=-1)
    y = g.reshape(g.Transpose(g.MatMul(weight, v), perm=[0, 2, 1, 3]), 0, 0, dim)
    x = g.Add(x, linear(y, dim, dim, "out", 0.5))
    y = linear(relu(g, linear(normal(x), dim, dim * 2, "up")), dim * 2, dim, "down", 0.5)
    return g.Add(x, y)


def upsampled(g, x, k, mode="nearest"):
    if mode == "nearest":
        return g.Resize(x, "", g.const([1, 1, k, k]), mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")
    return g.Resize(x, "", g.const([1, 1, k, k]), mode=mode, coordinate_transformation_mode="half_pixel")


def pixel_shuffle(g, x, k):
    return g.DepthToSpace(x, blocksize=k, mode="CRD")


def tiny_share(g, x, share=0.02):
    """What a seeded network says, held to a small part: it must not spoil what the rule says."""
    return g.Mul(g.Tanh(x), share)

