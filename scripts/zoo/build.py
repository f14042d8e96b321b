"""A small builder of ONNX graphs whose bytes are the same on every run and every machine."""

import hashlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR = 17, 8
F32, F16, I64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64


def uniform(name: str, *shape: int) -> np.ndarray:
    """Numbers in -1..1 that depend on `name` and the position only.

    SplitMix64 (Steele, Lea and Flood 2014) of a counter, not NumPy's generators: those may change their streams between versions.
    """
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64).reshape(shape) * 2.0**-52 - 1.0


def he(name: str, *shape: int, gain: float = 1.0) -> np.ndarray:
    """Weights whose variance is gain² * 2 / fan-in (He et al. 2015), so that activations neither grow nor vanish."""
    fan_in = max(1, int(np.prod(shape[1:])))
    return (uniform(name, *shape) * (gain * np.sqrt(6.0 / fan_in))).astype(np.float32)


class Graph:
    """Nodes are added by `graph.Op(inputs…, attribute=…)`, which gives the name of the output (or names, with `outs`)."""

    def __init__(self, name: str, note: str = ""):
        self.name, self.note = name, note
        self.nodes, self.inits, self.ins, self.outs = [], [], [], []
        self.functions, self.domains = [], {"": OPSET}
        self.ops, self.known = {}, {}

    def fresh(self, stem: str) -> str:
        n = self.ops[stem] = self.ops.get(stem, 0) + 1
        return f"{stem}_{n}"

    def input(self, name: str, shape, kind=F32) -> str:
        self.ins.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, value: str, name: str, shape, kind=F32) -> None:
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outs.append(helper.make_tensor_value_info(name, kind, shape))

    def const(self, value, dtype=np.float32, name: str = "") -> str:
        """An initializer; small ones with the same content are shared."""
        array = np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 4096 and not name else None
        if key in self.known:
            return self.known[key]
        name = name or self.fresh("c")
        self.inits.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        if key:
            self.known[key] = name
        return name

    def ints(self, *values) -> str:
        return self.const(list(values), np.int64)

    def op(self, kind: str, *inputs, outs: int = 1, domain: str = "", **attributes):
        stem = self.fresh(kind)
        names = [stem] if outs == 1 else [f"{stem}_{i}" for i in range(outs)]
        # Numbers and arrays become initializers: `g.Mul(x, 2.0)`.
        inputs = [i if isinstance(i, str) else self.const(i) for i in inputs]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain or None, **attributes))
        return names[0] if outs == 1 else names

    def __getattr__(self, kind: str):
        if not kind[:1].isupper():
            raise AttributeError(kind)
        return lambda *inputs, **attributes: self.op(kind, *inputs, **attributes)

    # Shapes

    def reshape(self, x: str, *shape: int) -> str:
        return self.Reshape(x, self.ints(*shape))

    def part(self, x: str, axis: int, start: int, end: int, step: int = 1) -> str:
        return self.Slice(x, self.ints(start), self.ints(end), self.ints(axis), self.ints(step))

    def total(self, x: str, *axes: int, keep: int = 1) -> str:
        return self.ReduceSum(x, self.ints(*axes), keepdims=keep)

    # Layers

    def conv(self, x: str, cin: int, cout: int, k=3, s=1, p=None, groups=1, gain=1.0, bias=True, at: str = "") -> str:
        """A convolution of any rank with seeded weights, named after the place in the network."""
        k = (k, k) if isinstance(k, int) else tuple(k)
        s = (s,) * len(k) if isinstance(s, int) else tuple(s)
        p = tuple(v // 2 for v in k) if p is None else ((p,) * len(k) if isinstance(p, int) else tuple(p))
        at = at or self.fresh("conv")
        inputs = [x, self.const(he(f"{self.name}/{at}", cout, cin // groups, *k, gain=gain), name=f"{at}.weight")]
        if bias:
            inputs.append(self.const(np.zeros(cout), name=f"{at}.bias"))
        return self.op("Conv", *inputs, kernel_shape=list(k), strides=list(s), pads=list(p) * 2, group=groups)

    def dense(self, x: str, cin: int, cout: int, at: str, gain=1.0) -> str:
        weight = self.const(he(f"{self.name}/{at}", cout, cin, gain=gain), name=f"{at}.weight")
        return self.op("Gemm", x, weight, self.const(np.zeros(cout), name=f"{at}.bias"), transB=1)

    # Result

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, self.name, self.ins, self.outs, self.inits, doc_string=self.note)
        opsets = [helper.make_opsetid(d, v) for d, v in self.domains.items()]
        return helper.make_model(graph, ir_version=IR, opset_imports=opsets, functions=self.functions,
                                 producer_name="frameloom make_models")

    def bytes(self, checked: bool = True) -> bytes:
        model = self.model()
        if checked:
            onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
