"""Tiny graphs for what may be odd about inputs, outputs and files: types, layouts, batch, order, external data, what must be refused."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from .build import F16, F32, I64, IR, OPSET, Graph

GAIN, SHIFT = (1.0, 2.0, 3.0), (0.0, 0.5, -1.0)


def scale(n, h, w, name="scale") -> Graph:
    """Channel by channel, so that a mistaken order of axes or channels shows."""
    g = Graph(name, "y = x * (1, 2, 3) + (0, 0.5, -1) by channel")
    x = g.input("images", [n, 3, h, w])
    c = lambda v: g.const(np.array(v).reshape(1, 3, 1, 1))
    g.output(g.Add(g.Mul(x, c(GAIN)), c(SHIFT)), "scaled", [n, 3, h, w])
    return g


def two_inputs() -> Graph:
    """Inputs of two types, the less important one first; outputs of different shapes, the larger one last."""
    g = Graph("two_inputs", "sum = a + gain, mean = mean of a over axis 1")
    gain = g.input("gain", [], I64)
    a = g.input("a", ["batch", 4])
    g.output(g.ReduceMean(a, axes=[1], keepdims=1), "mean", ["batch", 1])
    g.output(g.Add(a, g.Cast(gain, to=F32)), "sum", ["batch", 4])
    return g


def types() -> Graph:
    """One input and one output of every type."""
    g = Graph("types", "every output is its input")
    kinds = {"f32": F32, "f16": F16, "f64": TensorProto.DOUBLE, "i64": I64, "i32": TensorProto.INT32, "u8": TensorProto.UINT8,
             "bool": TensorProto.BOOL}
    for name, kind in kinds.items():
        g.input(f"in_{name}", ["n"], kind)
    for name, kind in kinds.items():
        g.output(f"in_{name}", f"out_{name}", ["n"], kind)
    return g


def rewritten(graph: Graph, rename=None, permute=None, nhwc=(), half=False, name=None) -> bytes:
    """The same computation with another face.

    `rename` {old: new} names of inputs and outputs; `permute` a new order of outputs; `nhwc` names (old ones) of inputs and outputs
    whose channels go last; `half` 16-bit floats at every float input and output, 32-bit ones inside.
    """
    m = graph.model()
    g = m.graph
    rename = rename or {}
    before, after = [], []

    def turned(info, order):
        dims = [onnx.TensorShapeProto.Dimension() for _ in order]
        for d, i in zip(dims, order):
            d.CopyFrom(info.type.tensor_type.shape.dim[i])
        del info.type.tensor_type.shape.dim[:]
        info.type.tensor_type.shape.dim.extend(dims)

    def face(info, is_input):
        old = info.name
        new = rename.get(old, old)
        steps = []  # from the outer value to the inner one
        if half and info.type.tensor_type.elem_type == F32:
            info.type.tensor_type.elem_type = F16
            steps.append(("Cast", {"to": F32 if is_input else F16}))
        if old in nhwc:
            turned(info, [0, 2, 3, 1])
            steps.append(("Transpose", {"perm": [0, 3, 1, 2] if is_input else [0, 2, 3, 1]}))
        info.name = new
        if not steps and new == old:
            return
        inner = f"inner/{old}"
        for node in g.node:
            for names in (node.input, node.output):
                for i, n in enumerate(names):
                    if n == old:
                        names[i] = inner
        chain = [new] + [f"{inner}/{i}" for i in range(1, max(1, len(steps)))] + [inner]
        steps = steps or [("Identity", {})]
        for (kind, attributes), outer, nearer in zip(steps, chain, chain[1:]):
            ends = (outer, nearer) if is_input else (nearer, outer)
            node = helper.make_node(kind, [ends[0]], [ends[1]], **attributes)
            before.append(node) if is_input else after.insert(0, node)

    for info in g.input:
        face(info, True)
    for info in g.output:
        face(info, False)
    nodes = before + list(g.node) + after
    del g.node[:]
    g.node.extend(nodes)
    if permute:
        outputs = {o.name: o for o in g.output}
        ordered = [onnx.ValueInfoProto() for _ in permute]
        for o, wanted in zip(ordered, permute):
            o.CopyFrom(outputs[wanted])
        del g.output[:]
        g.output.extend(ordered)
    g.name = name or g.name
    onnx.checker.check_model(m, full_check=True)
    return m.SerializeToString(deterministic=True)


WEIGHTS = np.arange(1, 65, dtype="<f4").reshape(1, 64) / 8


def external(location: str, offset: int | None = None, length: int | None = None) -> bytes:
    """y = x + w with w in another file."""
    tensor = TensorProto(name="w", data_type=F32, dims=[1, 64], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))
    return added(tensor)


def added(tensor: TensorProto) -> bytes:
    io = lambda name: helper.make_tensor_value_info(name, F32, ["batch", 64])
    node = helper.make_node("Add", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "external", [io("x")], [io("y")], [tensor])
    return finished(graph)


def finished(graph, domains=(), functions=()) -> bytes:
    opsets = [helper.make_opsetid("", OPSET)] + [helper.make_opsetid(d, 1) for d in domains]
    model = helper.make_model(graph, ir_version=IR, opset_imports=opsets, functions=list(functions),
                              producer_name="frameloom make_models")
    return model.SerializeToString(deterministic=True)


def hidden_external(location: str) -> bytes:
    """The reference to the outside hides in the tensor of a node's attribute, in a branch of an `If`."""
    tensor = TensorProto(name="w", data_type=F32, dims=[1, 64], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    out = lambda name: helper.make_tensor_value_info(name, F32, None)
    then = helper.make_graph([helper.make_node("Constant", [], ["t"], value=tensor)], "then", [], [out("t")])
    other = helper.make_graph([helper.make_node("Identity", ["x"], ["e"])], "else", [], [out("e")])
    node = helper.make_node("If", ["flag"], ["y"], then_branch=then, else_branch=other)
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    io = lambda name: helper.make_tensor_value_info(name, F32, ["batch", 64])
    return finished(helper.make_graph([node], "hidden_external", [flag, io("x")], [io("y")]))


def custom_op(inside_branch: bool = False) -> bytes:
    """An operator of a domain that no runtime knows."""
    io = lambda name: helper.make_tensor_value_info(name, F32, ["batch", 4])
    if not inside_branch:
        node = helper.make_node("Mystery", ["x"], ["y"], domain="com.example")
        return finished(helper.make_graph([node], "custom_op", [io("x")], [io("y")]), ["com.example"])
    out = lambda name: helper.make_tensor_value_info(name, F32, None)
    then = helper.make_graph([helper.make_node("Mystery", ["x"], ["t"], domain="com.example")], "then", [], [out("t")])
    other = helper.make_graph([helper.make_node("Identity", ["x"], ["e"])], "else", [], [out("e")])
    node = helper.make_node("If", ["flag"], ["y"], then_branch=then, else_branch=other)
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    return finished(helper.make_graph([node], "custom_op_in_branch", [flag, io("x")], [io("y")]), ["com.example"])


def local_function() -> bytes:
    """An operator of a domain of its own that the file itself defines: legal."""
    body = [helper.make_node("Mul", ["a", "a"], ["b"])]
    opset = [helper.make_opsetid("", OPSET)]
    function = helper.make_function("frameloom.test", "Square", ["a"], ["b"], body, opset)
    io = lambda name: helper.make_tensor_value_info(name, F32, ["batch", 4])
    node = helper.make_node("Square", ["x"], ["y"], domain="frameloom.test")
    return finished(helper.make_graph([node], "local_function", [io("x")], [io("y")], doc_string="y = x² by an operator that the file defines"), ["frameloom.test"], [function])


def dangling() -> bytes:
    """A node takes what nothing makes."""
    io = lambda name: helper.make_tensor_value_info(name, F32, ["batch", 4])
    node = helper.make_node("Add", ["x", "nowhere"], ["y"])
    return finished(helper.make_graph([node], "dangling", [io("x")], [io("y")]))
