"""The list of tiny graphs: what lies in tests/fixtures/models and what its manifests say."""

import hashlib

import onnx

from . import tiny_heads as heads
from . import tiny_io as io
from . import tiny_tasks as tasks
from .manifest import IMAGENET, manifest, picture

LICENCE = "MIT OR Apache-2.0"
SOURCE = "scripts/make_models.py --tiny"
#: Features go to the input of the same name.
SAM_ROLES = {
    "inputs": {"points": "point_coords", "labels": "point_labels", "mask": "mask_input", "has_mask": "has_mask_input"},
    "outputs": {"masks": "masks", "iou": "iou_predictions"},
}


def detectors():
    """name, task, decoder, graph, picture, outputs by role, numbers."""
    yolox_face = picture(order="bgr", scale=255, fit="letterbox", anchor="top-left", pad=114)
    nanodet_face = picture(order="bgr", scale=255, mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395))
    unit, detr_face = picture(), picture(**IMAGENET)
    half, scrfd_face = picture(scale=255, mean=127.5, std=127.5), picture(scale=255, mean=127.5, std=128)
    strides = lambda **kinds: {f"{role}{s}": f"{name}_{s}" for role, name in kinds.items() for s in (8, 16, 32)}
    nano = strides(scores="cls_pred_stride", distances="dis_pred_stride")
    scrfd = strides(scores="score", boxes="bbox", points="kps")
    yunet = strides(scores="cls", objects="obj", boxes="bbox", points="kps")
    pair = {"scores": "logits", "boxes": "pred_boxes"}
    yield "yolox-like", "detect", "yolox", heads.yolox(1), yolox_face, {"predictions": "output"}
    yield "yolox-like-batch", "detect", "yolox", heads.yolox("batch"), yolox_face, {"predictions": "output"}
    yield "yolox-like-batch4", "detect", "yolox", heads.yolox(4), yolox_face, {"predictions": "output"}
    yield "nanodet-like", "detect", "nanodet", heads.nanodet("batch"), nanodet_face, nano
    yield "yolov8-like", "detect", "yolov8", heads.yolov8("batch"), unit, {"predictions": "output0"}
    yield "yolo-end-to-end-like", "detect", "end-to-end", heads.yolo_end_to_end("batch"), unit, {"predictions": "output0"}
    yield "detr-like", "detect", "detr", heads.detr("batch", True), detr_face, pair
    yield "rtdetr-like", "detect", "detr-sigmoid", heads.detr("batch", False), detr_face, pair
    yield "yunet-like", "face", "yunet", heads.yunet(), {**yolox_face, "size": [96, 64], "multiple": 32, "pad": 0.0}, yunet
    yield "ultraface-like", "face", "ultraface", heads.ultraface("batch"), picture(scale=255, mean=127, std=128), {
        "scores": "scores", "boxes": "boxes"}
    yield "blazeface-like", "face", "blazeface", heads.blazeface(1), half, {"boxes": "regressors", "scores": "classificators"}
    yield "scrfd-like", "face", "scrfd", heads.scrfd("batch"), scrfd_face, scrfd
    yield "scrfd-flat-like", "face", "scrfd", heads.scrfd(1, flat=True), scrfd_face, scrfd


def rewrites():
    """The same detectors with another face: name, task, decoder, bytes, picture, outputs by role."""
    face = picture(order="bgr", scale=255, fit="letterbox", anchor="top-left", pad=114)
    nhwc = {"layout": "nhwc", **face}
    yield "yolox-like-nhwc", "detect", "yolox", io.rewritten(heads.yolox("batch"), nhwc=("images",)), nhwc, {"predictions": "output"}
    yield "yolox-like-f16", "detect", "yolox", io.rewritten(heads.yolox(1), half=True), face, {"predictions": "output"}
    other = {"images": "serving_default_pixels:0", "output": "StatefulPartitionedCall:0"}
    mixed = io.rewritten(heads.yolox("batch"), rename=other, nhwc=("images",), half=True)
    yield "yolox-like-nhwc-f16", "detect", "yolox", mixed, nhwc, {"predictions": other["output"]}
    names = {"cls_pred_stride_8": "882", "cls_pred_stride_16": "905", "cls_pred_stride_32": "928", "dis_pred_stride_8": "885",
             "dis_pred_stride_16": "908", "dis_pred_stride_32": "931", "input.1": "data"}
    order = ["931", "882", "908", "928", "885", "905"]
    nano = io.rewritten(heads.nanodet("batch"), rename=names, permute=order)
    roles = {f"{role}{s}": names[f"{kind}_pred_stride_{s}"] for role, kind in (("scores", "cls"), ("distances", "dis")) for s in (8, 16, 32)}
    yield "nanodet-like-renamed", "detect", "nanodet", nano, picture(
        order="bgr", scale=255, mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395)), roles
    ultra = io.rewritten(heads.ultraface("batch"), rename={"scores": "460", "boxes": "462"}, permute=["462", "460"])
    yield "ultraface-like-renamed", "face", "ultraface", ultra, picture(scale=255, mean=127, std=128), {"scores": "460", "boxes": "462"}
    blaze = io.rewritten(heads.blazeface(1), rename={"regressors": "b", "classificators": "a", "input": "x"}, permute=["a", "b"], half=True)
    yield "blazeface-like-f16", "face", "blazeface", blaze, picture(scale=255, mean=127.5, std=127.5), {"boxes": "b", "scores": "a"}


def others():
    """name, task, decoder, graph, picture, other fields."""
    nhwc = picture(layout="nhwc")
    upscale = lambda k: {"outputs": {"picture": "output"}, "numbers": {"scale": k}}
    yield "nearest-x2", "upscale", None, tasks.nearest(), picture(), upscale(2)
    yield "nearest-x2-tile32", "upscale", None, tasks.nearest(1, 32, 32), picture(), upscale(2)
    yield "local-x2", "upscale", None, tasks.local(), picture(), upscale(2)
    yield "local-x2-tile32", "upscale", None, tasks.local(1, 32, 32), picture(), upscale(2)
    yield "luma-cubic-x3", "upscale", None, tasks.luma_cubic(), picture(order="gray"), upscale(3)
    yield "segment-alpha", "segment", "alpha", tasks.segment_alpha(), nhwc, {"classes": "person", "outputs": {"mask": "activation_10"}}
    yield "segment-two", "segment", "softmax2", tasks.segment_two(), picture(), {"classes": "person", "outputs": {"mask": "logits"}}
    for name, layout in (("segment-classes", nhwc), ("segment-classes-nchw", picture())):
        graph = tasks.segment_classes(nhwc=layout is nhwc)
        yield name, "segment", "semantic", graph, layout, {"classes": "voc21", "outputs": {"classes": "scores"}}
    yield "sam-encoder", "segment", "sam2", tasks.sam_encoder(), picture(), {}
    yield "sam-decoder", "segment", "sam2", tasks.sam_decoder(), None, SAM_ROLES
    hole = {"inputs": {"mask": "mask"}, "outputs": {"picture": "output"}}
    yield "inpaint", "inpaint", None, tasks.inpaint(), picture(input="image", multiple=8), hole
    yield "inpaint-64", "inpaint", None, tasks.inpaint(64), picture(input="image"), hole
    yield "restore-face", "restore-face", None, tasks.restore_face(), picture(input="x", mean=0.5, std=0.5), {
        "inputs": {"fidelity": "w"}, "outputs": {"picture": "y"}}
    yield "lowlight", "lowlight", None, tasks.lowlight(), picture(), {"outputs": {"picture": "output"}}
    yield "vad-like", "vad", "silero", tasks.vad(), None, {
        "inputs": {"audio": "input", "state": "state", "rate": "sr"}, "outputs": {"probability": "output", "state": "stateN"}}
    yield "embed", "embed", "vector", tasks.embed(), picture(), {"outputs": {"embedding": "vector"}}
    yield "embed-features", "embed", "map", tasks.embed(), picture(), {"outputs": {"embedding": "features"}, "numbers": {"grid": 2}}
    yield "reid", "reid", "vector", tasks.reid(), picture(layout="nhwc", order="bgr", scale=255), {"outputs": {"embedding": "Identity:0"}}
    yield "classify", "classify", "classify", tasks.classify(), picture(), {"classes": "red,green,blue", "outputs": {"scores": "logits"}}
    yield "landmarks", "landmarks", "mesh468", tasks.landmarks(), picture(), {
        "outputs": {"points": "conv2d_21", "score": "conv2d_31"}, "numbers": {"margin": 0.25}}
    yield "lips", "lipsync", "syncnet", tasks.lips(), None, {"inputs": {"lips": "lips"}, "outputs": {"embedding": "embedding"}}
    yield "sound", "lipsync", "syncnet", tasks.sound(), None, {"inputs": {"audio": "audio"}, "outputs": {"embedding": "embedding"}}
    plain = lambda layout="nchw": picture(layout=layout)
    yield "scale", "embed", None, io.scale(1, 8, 8), plain(), {}
    yield "scale-dynamic", "embed", None, io.scale("batch", "h", "w"), picture(size=(8, 8)), {}
    yield "scale-batch4", "embed", None, io.scale(4, 8, 8), plain(), {}
    for name, n, half in (("scale-nhwc", 1, False), ("scale-nhwc-dynamic", "batch", False), ("scale-nhwc-f16", "batch", True)):
        hw = ("h", "w") if n == "batch" else (8, 8)
        face = picture(layout="nhwc", size=(8, 8) if n == "batch" else None)
        yield name, "embed", None, io.rewritten(io.scale(n, *hw), nhwc=("images", "scaled"), half=half), face, {}
    yield "scale-f16", "embed", None, io.rewritten(io.scale(1, 8, 8), half=True), plain(), {}
    yield "two-inputs", "embed", None, io.two_inputs(), None, {}
    yield "types", "embed", None, io.types(), None, {}
    yield "local-function", "embed", None, io.local_function(), None, {}


def files() -> dict[str, bytes]:
    """Path below tests/fixtures/models -> content."""
    out, entries = {}, []
    rows = [(n, t, d, g, p, {"outputs": o, "numbers": {"score": 0.5, "nms": 0.5}}) for n, t, d, g, p, o in (*detectors(), *rewrites())]
    for name, task, decoder, graph, face, more in (*rows, *others()):
        data = graph if isinstance(graph, bytes) else graph.bytes()
        # Two entries may share a graph.
        file = next((f for f, b in out.items() if b == data), f"{name.replace('-', '_')}.onnx")
        out[file] = data
        fields = {"name": name, "task": task, "file": file, "sha256": hashlib.sha256(data).hexdigest(), "licence": LICENCE,
                  "source": SOURCE, "stand_in": True, "decoder": decoder}
        if task == "detect":
            fields["classes"] = "white,red,blue"
        fields |= {**more, "picture": face}
        entries.append({k: v for k, v in fields.items() if v not in (None, {})})
    out["models.toml"] = manifest("Tiny graphs for tests, written by scripts/make_models.py --tiny. Do not edit.", entries).encode()
    out["README.md"] = readme(out)
    out |= external_files()
    good = out["scale.onnx"]
    out["refused/truncated.onnx"] = good[: len(good) * 2 // 3]
    out["refused/changed.onnx"] = good.replace(b"images", b"imagez")
    out["refused/text.onnx"] = b"This is no model.\n"
    out["refused/empty.onnx"] = b""
    out["refused/dangling.onnx"] = io.dangling()
    out["refused/custom_op.onnx"] = io.custom_op()
    out["refused/custom_op_in_branch.onnx"] = io.custom_op(inside_branch=True)
    return out


def readme(files: dict[str, bytes]) -> bytes:
    """What every graph computes, as it says itself."""
    def axes(info):
        shape = info.type.tensor_type.shape.dim
        kind = onnx.TensorProto.DataType.Name(info.type.tensor_type.elem_type).lower().replace("float", "f32").replace("f3216", "f16")
        return f"`{info.name}` {kind} [{', '.join(d.dim_param or str(d.dim_value) for d in shape)}]"

    lines = ["# Tiny graphs for tests", "",
             "Written by `scripts/make_models.py --tiny`, compared by `--check`; do not edit. `models.toml` has an entry for each graph of this",
             "folder. `external/`: weights in other files, `whole`, `part` and `in_folder` good, the others to be refused (a test makes",
             "`symlink.bin`, `hardlink.bin` and the folder `linked`). `refused/`: no models, or such that no runtime can run; `changed` is `scale`",
             "with another name of the input.", "", "| file | computes | inputs | outputs |", "|---|---|---|---|"]
    for name in sorted(n for n in files if n.endswith(".onnx") and "/" not in n):
        graph = onnx.load_from_string(files[name]).graph
        ends = [", ".join(axes(i) for i in side) for side in (graph.input, graph.output)]
        # Graphs of many outputs would make the table unreadable.
        ends = [e if len(e) < 160 else f"{e[:e.rfind(',', 0, 150)]} …" for e in ends]
        lines.append(f"| {name} | {graph.doc_string.replace('|', '/')} | {ends[0]} | {ends[1]} |")
    return ("\n".join(lines) + "\n").encode()


def external_files() -> dict[str, bytes]:
    """Good references to `weights.bin`, and those that must be refused. `symlink.bin`, `hardlink.bin` are for a test to make."""
    weights = io.WEIGHTS.tobytes()
    size = len(weights)
    good = {
        "external/whole.onnx": io.external("weights.bin"),
        "external/part.onnx": io.external("weights_late.bin", 16, size),
        "external/weights.bin": weights,
        "external/weights_late.bin": b"sixteen bytes...".ljust(16) + weights,
        "external/in_folder.onnx": io.external("parts/weights.bin", 0, size),
        "external/parts/weights.bin": weights,
    }
    bad = {
        "parent": io.external("../scale.onnx", 0, size),
        "parent_inside": io.external("parts/../../scale.onnx", 0, size),
        "absolute": io.external("/etc/hostname"),
        "windows": io.external("..\\scale.onnx", 0, size),
        "url": io.external("file:///etc/hostname"),
        "missing": io.external("no_such_file.bin", 0, size),
        "short": io.external("weights.bin", 0, 4 * size),
        "past_the_end": io.external("weights.bin", 1 << 40, size),
        "negative": io.external("weights.bin", -256, size),
        "symlink": io.external("symlink.bin", 0, size),
        "hardlink": io.external("hardlink.bin", 0, size),
        "linked_folder": io.external("linked/weights.bin", 0, size),
        "hidden_parent": io.hidden_external("../scale.onnx"),
    }
    return good | {f"external/{name}.onnx": data for name, data in bad.items()}
