"""The list of stand-ins: names, files, entries of the manifest, and which file to put in their place."""

import hashlib
from pathlib import Path

from . import nets, painters, prompted, tiny_heads
from .manifest import IMAGENET, manifest, picture
from .tiny import SAM_ROLES

SEEDED = "LicenseRef-seeded-weights"
UNIT = picture()


def rows():
    """name, task, decoder, graph (as a function), file to be replaced, note, other fields."""
    imagenet = picture(**IMAGENET)
    two = "Distances say whether the mouth darkens as the sound grows: a rule, not the network, which only takes its time."
    yield "syncnet-lips", "lipsync", "syncnet", nets.syncnet_lips, (
        f"{two} Real one: SyncNet v2 of github.com/joonson/syncnet_python, forward_lip exported by torch.onnx.export with input lips "
        "(b,3,5,224,224) of BGR 0..255, dynamic_axes on axis 0."), {
        "inputs": {"lips": "lips"}, "outputs": {"embedding": "embedding"}}
    yield "syncnet-audio", "lipsync", "syncnet", nets.syncnet_audio, (
        f"{two} Real one: forward_aud of the same network, input audio (b,1,13,20) of MFCC (python_speech_features, 100 columns a second)."), {
        "inputs": {"audio": "audio"}, "outputs": {"embedding": "embedding"}}
    yield "mobilenet-v3-small", "embed", "map", nets.mobilenet_v3_small, (
        "Real one: torchvision mobilenet_v3_small(weights='IMAGENET1K_V1').features[:9], torch.onnx.export with dynamic axis 0."), {
        "outputs": {"embedding": "features"}, "numbers": {"grid": 2}, "picture": imagenet}
    yield "efficientnet-b0", "embed", "map", nets.efficientnet_b0, (
        "Real one: torchvision efficientnet_b0(weights='IMAGENET1K_V1').features[:6], torch.onnx.export with dynamic axis 0."), {
        "outputs": {"embedding": "features"}, "numbers": {"grid": 2}, "picture": imagenet}
    yield "realesr-general-x4v3", "upscale", None, painters.esrgan_general_x4, (
        "Nearest x4 within 0.02. Real one: realesr-general-x4v3.pth of github.com/xinntao/Real-ESRGAN through its "
        "scripts/pytorch2onnx.py with SRVGGNetCompact(64 features, 32 convolutions), dynamic height and width."), {
        "outputs": {"picture": "output"}, "numbers": {"scale": 4}, "picture": UNIT}
    yield "realesrgan-x2plus", "upscale", None, painters.esrgan_x2, (
        "Bilinear x2 within 0.02. Real one: RealESRGAN_x2plus.pth of github.com/xinntao/Real-ESRGAN through its scripts/pytorch2onnx.py "
        "with RRDBNet(scale 2, 23 blocks), dynamic height and width (even)."), {
        "outputs": {"picture": "output"}, "numbers": {"scale": 2}, "picture": picture(multiple=2)}
    hole = {"inputs": {"mask": "mask"}, "outputs": {"picture": "output"}}
    yield "lama", "inpaint", None, painters.lama, (
        "The mean around the hole within 0.02. Real one: big-lama of github.com/advimman/lama, exported by torch.onnx.export (opset 17 or "
        "later has DFT) with inputs image and mask, dynamic height and width (multiples of 8)."), {
        **hole, "picture": picture(input="image", multiple=8)}
    yield "lama-512", "inpaint", None, lambda: painters.lama(512), (
        "The mean around the hole within 0.02. Real one: lama_fp32.onnx of Carve/LaMa-ONNX; 512x512, output 0..255."), {
        **hole, "numbers": {"white": 255}, "picture": picture(input="image")}
    yield "codeformer", "restore-face", None, painters.codeformer, (
        "w * x + (1 - w) * sharpened x within 0.02. Real one: codeformer.pth of github.com/sczhou/CodeFormer (its licence forbids commercial "
        "use), exported with inputs x and w (double)."), {
        "inputs": {"fidelity": "w"}, "outputs": {"picture": "y"}, "picture": picture(input="x", mean=0.5, std=0.5)}
    sam = "Masks follow colour. Real one: sam2.1_hiera_tiny of github.com/facebookresearch/sam2 through samexporter (github.com/vietanhdev"
    yield "sam2-encoder", "segment", "sam2", prompted.encoder, f"{sam}/samexporter), file *.encoder.onnx.", {"picture": imagenet}
    yield "sam2-decoder", "segment", "sam2", prompted.decoder, f"{sam}/samexporter), file *.decoder.onnx.", SAM_ROLES
    boxes = "No network, a rule: finds one bright rectangle in each half of the picture (white, red or blue)."
    yield "yolov8n", "detect", "yolov8", lambda: padded_classes(tiny_heads.yolov8("batch", 640, 640)), (
        f"{boxes} Real one: any export of that form, as yolo export model=yolov8n.pt format=onnx dynamic=True (AGPL weights)."), {
        "classes": "coco80", "outputs": {"predictions": "output0"}, "numbers": {"score": 0.25, "nms": 0.45},
        "picture": picture(fit="letterbox", pad=114 / 255)}
    strides = {f"{role}{s}": f"{name}_{s}" for role, name in (("scores", "score"), ("boxes", "bbox"), ("points", "kps")) for s in (8, 16, 32)}
    yield "scrfd-2.5g", "face", "scrfd", lambda: tiny_heads.scrfd("batch", width=640, height=640), (
        f"{boxes} Real one: scrfd_2.5g_bnkps.onnx of github.com/deepinsight/insightface (non-commercial), with its batch axis."), {
        "outputs": strides, "numbers": {"score": 0.5, "nms": 0.4},
        "picture": picture(scale=255, mean=127.5, std=128, fit="letterbox", anchor="top-left")}
    yield "rtdetr-r18", "detect", "detr-sigmoid", lambda: tiny_heads.detr("batch", False, 640, 640), (
        f"{boxes} Ten queries, three classes. Real one: rtdetr_r18vd of github.com/lyuwenyu/RT-DETR through Hugging Face optimum-cli."), {
        "classes": "white,red,blue", "outputs": {"scores": "logits", "boxes": "pred_boxes"}, "numbers": {"score": 0.5}, "picture": imagenet}


def padded_classes(g):
    """80 classes: white, red and blue are the first three, the others never score."""
    g.nodes.pop()
    g.outs.clear()
    rows = g.nodes[-1].output[0]
    g.output(g.Pad(rows, g.ints(0, 0, 0, 0, 77, 0)), "output0", ["batch", 84, 8400])
    return g


def file_of(name: str) -> str:
    return f"{name.replace('-', '_').replace('.', '_')}.onnx"


def listing() -> str:
    return "\n".join(f"{name:22} {task:13} {file_of(name):32} {note}" for name, task, _, _, note, _ in rows())


def write(folder: Path, only: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for name, task, decoder, graph, note, more in rows():
        if only not in name:
            continue
        data = graph().bytes()
        (folder / file_of(name)).write_bytes(data)
        print(f"{file_of(name):32} {len(data) / 1e6:8.2f} MB", flush=True)
        fields = {"name": name, "task": task, "file": file_of(name), "sha256": hashlib.sha256(data).hexdigest(), "licence": SEEDED,
                  "source": "scripts/make_models.py", "stand_in": True, "note": note, "decoder": decoder, **more}
        entries.append({k: v for k, v in fields.items() if v not in (None, {})})
    if not entries:
        print(f"no stand-in has `{only}` in its name; --list names them")
        return 1
    head = "Stand-ins, written by scripts/make_models.py: what they say follows seeded weights or a rule, never training.\nEach note says what to put in its place."
    (folder / "models.toml").write_text(manifest(head, entries))
    return 0
