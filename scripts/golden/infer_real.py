#!/usr/bin/env python3
"""What the real models say about real pictures, by ONNX Runtime and OpenCV: tests/golden/infer/*.json.

    pip install onnxruntime==1.31.1 opencv-python-headless numpy
    FRAMELOOM_TESTDATA=shared/data python3 scripts/golden/infer_real.py

Not part of `generate.py` without arguments, as it needs the models and pictures of the test data. Only figures are kept: statistics and
some elements of tensors, boxes, shares, probabilities. Each file names what went in (SHA-256 of the picture and of the model) and how it
was prepared. PNG pictures where numbers are to be compared closely: JPEG and video decoders differ in the last bits.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

sys.path.insert(0, str(Path(__file__).resolve().parent))
import infer_pictures as p
from infer_pictures import DATA, Packed

OUT = Path(__file__).resolve().parents[2] / "tests" / "golden" / "infer"
GRID = ["bbaf2n", "brbk7n", "lbax4n", "lbbc2a", "lrwp9a"]
IMAGENET_BGR = dict(order="bgr", mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395))
ASTRONAUT, BIKES = "misc/astronaut.png", "kodak/kodim05.png"
sessions = {}


class Model:
    def __init__(self, file: str):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        options.log_severity_level = 3
        self.path = DATA / "onnx" / file
        self.session = ort.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        self.names = [o.name for o in self.session.get_outputs()]

    def __call__(self, tensor, **more):
        feed = {self.session.get_inputs()[0].name: tensor, **more}
        return dict(zip(self.names, self.session.run(None, feed)))

    def record(self):
        return {"file": self.path.name, "sha256": p.sha256(self.path)}


def model(file: str) -> Model:
    if file not in sessions:
        sessions[file] = Model(file)
    return sessions[file]


def short(v, digits=6):
    """Floats with six significant digits, arrays as lists."""
    if isinstance(v, dict):
        return {k: short(x, digits) for k, x in v.items()}
    if isinstance(v, (list, tuple, np.ndarray)):
        return [short(x, digits) for x in v]
    return float(f"{float(v):.{digits}g}") if isinstance(v, (float, np.floating)) else int(v) if isinstance(v, np.integer) else v


def summary(t: np.ndarray, count=12) -> dict:
    """Statistics, and elements at equal steps of the flat index with the largest one: `at` and `is`."""
    flat = t.astype(np.float64).ravel()
    at = sorted({*(int(i) for i in np.linspace(0, flat.size - 1, count)), int(flat.argmax())})
    stats = {"mean": flat.mean(), "std": flat.std(), "min": flat.min(), "max": flat.max()}
    return {"shape": list(t.shape), "type": str(t.dtype), **short(stats), "at": at, "is": short(flat[at])}


def write(name: str, m: Model, **fields) -> None:
    versions = {"onnxruntime": ort.__version__, "opencv": cv2.__version__, "numpy": np.__version__}
    OUT.mkdir(parents=True, exist_ok=True)
    record = {"source": "scripts/golden/infer_real.py", "versions": versions, "model": m.record(), **short(fields)}
    path = OUT / f"real_{name}.json"
    path.write_text(json.dumps(record, separators=(",", ":")).replace('},{"', '},\n{"').replace(',"', ',\n"', 5) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


def case(m: Model, picture: str, packed: Packed, tensor: np.ndarray, decoded=None, **more) -> dict:
    """One run: what went in, what came out."""
    outputs = m(tensor, **more)
    found = decoded(outputs) if decoded else {}
    return {"picture": f"images/{picture}", "sha256": p.sha256(DATA / "images" / picture), "prepared": packed.how,
            "tensor": summary(tensor, 8), "outputs": {k: summary(v) for k, v in outputs.items()}, **found}


def listed(boxes, scores, classes=None, points=None):
    """Corners in pixels of the picture, to a hundredth; score to a hundred thousandth."""
    rows = []
    for i in range(len(scores)):
        row = {"box": [round(float(v), 2) for v in boxes[i]], "score": round(float(scores[i]), 5)}
        if classes is not None:
            row["class"] = int(classes[i])
        if points is not None:
            row["points"] = [[round(float(v), 2) for v in xy] for xy in points[i]]
        rows.append(row)
    return rows


def objects(boxes, scores, packed, score, nms):
    """Boxes whose best class is over `score`."""
    c = scores.argmax(1)
    i = np.flatnonzero(scores.max(1) > score)
    c = c[i]
    boxes, scores = packed.boxes(boxes[i]), scores[i, c]
    kept = p.suppress(boxes, scores, c, nms)
    return boxes[kept], scores[kept], c[kept]


def faces(boxes, scores, points, packed, score, nms):
    over = scores > score
    boxes, scores, points = packed.boxes(boxes[over]), scores[over], None if points is None else points[over]
    kept = p.suppress(boxes, scores, np.zeros(len(scores)), nms)
    return boxes[kept], scores[kept], None if points is None else [packed.points(points[i]) for i in kept]


def detectors() -> None:
    truth = json.loads((DATA / "images/coco_ccby/instances.json").read_text())
    number = {c["id"]: i for i, c in enumerate(sorted(truth["categories"], key=lambda c: c["id"]))}
    score, nms = 0.3, 0.5

    def yolox(bgr):
        packed = Packed(bgr, 416, 416, order="bgr", letterbox="top-left", pad=114.0)
        return packed, packed.nchw, lambda out: p.yolox(out["output"][0])

    def nanodet(bgr):
        packed = Packed(bgr, 320, 320, **IMAGENET_BGR)
        return packed, packed.nchw, p.nanodet

    for name, file, prepare in (("yolox", "yolox_nano_416.onnx", yolox), ("nanodet", "nanodet_m_320.onnx", nanodet)):
        m, cases = model(file), []
        for picture in (BIKES, ASTRONAUT, "misc/chelsea.png"):
            packed, tensor, decode = prepare(p.picture(picture))
            cases.append(case(m, picture, packed, tensor, lambda out: {"found": listed(*objects(*decode(out), packed, score, nms))}))
        hit = total = count = 0
        each = {}
        for image in truth["images"]:
            packed, tensor, decode = prepare(p.picture(f"coco_ccby/{image['file_name']}"))
            boxes, _, classes = objects(*decode(m(tensor)), packed, score, nms)
            count += len(boxes)
            here = [0, 0]
            for a in truth["annotations"]:
                x, y, w, h = a["bbox"]
                if a["image_id"] != image["id"] or a["iscrowd"] or w * h <= 32 * 32:
                    continue
                near = len(boxes) and ((p.iou(np.array([x, y, x + w, y + h]), boxes) >= 0.5) & (classes == number[a["category_id"]])).any()
                here = [here[0] + int(near), here[1] + 1]
            hit, total = hit + here[0], total + here[1]
            each[image["file_name"]] = here
        how = "boxes over 32x32 without crowds that a detection of the class covers with IoU >= 0.5; the best class of a box counts"
        recall = {"recall": hit / total, "boxes": total, "detections": count, "score": score, "nms": nms, "how": how, "found_of": each}
        write(name, m, score=score, nms=nms, cases=cases, coco_ccby=recall)


def face_models() -> dict:
    """Detectors of faces; gives the points that YuNet finds in frames of the GRID clips."""
    def on(bgr, kind):
        if kind == "yunet":
            # Enlarged faces give the more exact points: with 320x320 the cosines of one person fall to 0.88.
            packed = Packed(bgr, 640, 640, order="bgr", letterbox="top-left")
            return packed, packed.nchw, lambda o: p.yunet(o, 640, 640)
        if kind == "ultraface":
            packed = Packed(bgr, 320, 240, mean=127.0, std=128.0)
            return packed, packed.nchw, lambda o: (o["boxes"][0] * [320, 240, 320, 240], o["scores"][0, :, 1], None)
        packed = Packed(bgr, 128, 128, mean=127.5, std=127.5, letterbox="center")
        return packed, packed.nchw, lambda o: p.blazeface(o["regressors"][0], o["classificators"][0])

    grid = {}
    settings = (("yunet", "yunet_n_dynamic.onnx", 0.6), ("ultraface", "ultraface_rfb320.onnx", 0.7),
                ("blazeface", "blazeface_short_128.onnx", 0.5))
    for kind, file, score in settings:
        m = model(file)

        def found(bgr):
            packed, tensor, decode = on(bgr, kind)
            return faces(*decode(m(tensor)), packed, score, 0.3)

        packed, tensor, decode = on(p.picture(ASTRONAUT), kind)
        cases = [case(m, ASTRONAUT, packed, tensor, lambda o: {"found": listed(*(lambda b, s, k: (b, s, None, k))(
            *faces(*decode(o), packed, score, 0.3)))})]
        clips = []
        for clip in GRID:
            for index in (0, 37, 74):
                b, s, k = found(p.frame(f"grid_{clip}.mpg", index))
                clips.append({"clip": f"grid_{clip}.mpg", "frame": index, "found": listed(b, s)})
                if kind == "yunet":
                    grid[clip, index] = k[0]
        more = {}
        if kind == "yunet":  # a second size, not square
            packed2 = Packed(p.picture(BIKES), 768, 512, order="bgr")
            more = {"another_size": case(m, BIKES, packed2, packed2.nchw)}
        write(kind, m, score=score, nms=0.3, cases=cases, grid=clips, **more)
    return grid


def embeddings(grid: dict) -> None:
    m = model("mobilefacenet_112.onnx")
    box = (171, 64, 110, 110)
    packed = Packed(p.picture(ASTRONAUT), 112, 112, mean=127.5, std=127.5, box=box)
    vectors = {}
    for (clip, index), points in grid.items():
        face = p.aligned(p.frame(f"grid_{clip}.mpg", index), points)
        tensor = ((face[:, :, ::-1] - 127.5) / 127.5).transpose(2, 0, 1)[None].astype(np.float32)
        v = m(tensor)["output"][0]
        vectors[clip, index] = v / np.linalg.norm(v)
    keys = list(vectors)
    cosines = [[float(vectors[a] @ vectors[b]) for b in keys] for a in keys]
    same = [c for a, row in zip(keys, cosines) for b, c in zip(keys, row) if a[0] == b[0] and a != b]
    other = [c for a, row in zip(keys, cosines) for b, c in zip(keys, row) if a[0] != b[0]]
    print("mobilefacenet: same", min(same), max(same), "others", min(other), max(other))
    how = "YuNet at 640x640, five points to the ArcFace template, cv2.warpAffine bilinear"
    write("mobilefacenet", m, cases=[case(m, ASTRONAUT, packed, packed.nchw, lambda o: {"vector": o["output"][0]})],
          grid={"how": how, "frames": [f"grid_{c}.mpg {i}" for c, i in keys], "same_least": min(same), "others_most": max(other),
                "cosines": [[round(v, 3) for v in row] for row in cosines]})

    m = model("person_reid_retail_0288.onnx")
    packed = Packed(p.picture(ASTRONAUT), 128, 256, order="bgr")
    write("reid", m, cases=[case(m, ASTRONAUT, packed, packed.nhwc, lambda o: {"vector": o["Identity:0"][0][:64]})])

    m = model("derived_shufflenetv2_embed_dynbatch.onnx")
    tensors = [Packed(p.picture(n), 320, 320, **IMAGENET_BGR) for n in (BIKES, ASTRONAUT, "misc/coffee.png")]
    single = np.concatenate([m(t.nchw)["embedding"] for t in tensors])
    batch = m(np.concatenate([t.nchw for t in tensors]))["embedding"]
    cases = [case(m, BIKES, tensors[0], tensors[0].nchw), case(m, ASTRONAUT, tensors[1], tensors[1].nchw)]
    write("shufflenet", m, cases=cases, cosines=single @ single.T, batch_of_3_differs_by=float(np.abs(single - batch).max()))


def face_points() -> None:
    box = (171, 64, 110, 110)  # the face of the astronaut, with room around it
    for name, file, size in (("landmark_468", "mediapipe_face_landmark_468.onnx", 192),
                             ("landmark_478", "mediapipe_face_landmarks_478_fp16.onnx", 256)):
        m = model(file)
        packed = Packed(p.picture(ASTRONAUT), size, size, scale=1.0, box=box)
        tensor = packed.nchw.astype(np.float16) if "fp16" in file else packed.nchw

        def points(out):
            xyz = out[m.names[0]].astype(np.float64).reshape(-1, 3)
            return {"points_of_picture": {str(i): np.round(packed.points(xyz[i, :2][None])[0], 2) for i in (1, 13, 14, 33, 61, 152, 263, 291)}}

        write(name, m, cases=[case(m, ASTRONAUT, packed, tensor, points)])


def masks() -> None:
    for name, file, size, scale, mean, std, share in (
        ("selfie", "selfie_segmentation_256.onnx", 256, 1.0, 0.0, 1.0, lambda o: float((o["activation_10"] > 0.5).mean())),
        ("deeplab", "deeplab_v3_mnv2_257.onnx", 257, 255.0, 127.5, 127.5,
         lambda o: float((o["ResizeBilinear_3"].argmax(-1) == 15).mean())),
    ):
        m = model(file)
        prepare = lambda bgr: Packed(bgr, size, size, scale=scale, mean=mean, std=std)
        packed = prepare(p.picture(ASTRONAUT))
        cases = [case(m, ASTRONAUT, packed, packed.nhwc, lambda o: {"person_share": share(o)})]
        shares = {f"grid_{c}.mpg": round(share(m(prepare(p.frame(f"grid_{c}.mpg", 0)).nhwc)), 4) for c in GRID}
        write(name, m, cases=cases, person_share_of_frame_0=shares)


def psnr(a, b) -> float:
    return float(10 * np.log10(1 / np.mean((np.clip(a, 0, 1) - b) ** 2)))


def upscalers() -> None:
    m = model("realesr_animevideov3_x4.onnx")
    packed = Packed(p.picture(BIKES), 160, 120, scale=1.0, box=(300, 200, 160, 120))
    fidelity = {}
    for n in ("01", "05", "13", "23"):
        whole = p.picture(f"kodak/kodim{n}.png")[:, :, ::-1][:480, :480].astype(np.float32) / 255
        small = cv2.resize(whole, (120, 120), interpolation=cv2.INTER_AREA)
        large = m(small.transpose(2, 0, 1)[None])["output"][0].transpose(1, 2, 0)
        cubic = cv2.resize(small, (480, 480), interpolation=cv2.INTER_CUBIC)
        fidelity[f"kodim{n}"] = {"model": round(psnr(large, whole), 2), "bicubic": round(psnr(cubic, whole), 2)}
    how = "the 480x480 at the top left, AREA to 120x120, back up x4; PSNR in dB of RGB in 0..1"
    write("realesr", m, cases=[case(m, BIKES, packed, packed.nchw)], psnr={"how": how, **fidelity})

    m = model("derived_espcn_x3_luma.onnx")
    gray = cv2.cvtColor(p.picture(BIKES), cv2.COLOR_BGR2GRAY)[200:320, 300:460]
    tensor = (gray.astype(np.float32) / 255)[None, None]
    packed.how |= {"order": "gray (cv2.COLOR_BGR2GRAY: 0.299 R + 0.587 G + 0.114 B, rounded)", "scale": 1.0}
    write("espcn", m, cases=[case(m, BIKES, packed, tensor)])

    m = model("sci_lowlight_480x640.onnx")
    packed = Packed(p.picture("misc/coffee.png"), 640, 480, scale=0.25)
    packed.how["note"] = "scale 0.25: a quarter of the light"
    write("sci", m, cases=[case(m, "misc/coffee.png", packed, packed.nchw)])

    m = model("mnist.onnx")
    digits = {}
    for scale in (1.0, 255.0):
        one = np.zeros((1, 1, 28, 28), np.float32)
        one[..., 5:23, 13:16] = scale
        digits[str(scale)] = m(one)["Plus214_Output_0"][0]
    write("mnist", m, bar={"how": "rows 5..23, columns 13..16 white, the rest 0; key is the value of white", "logits": digits})


def main() -> None:
    import infer_speech

    grid = face_models()
    embeddings(grid)
    detectors()
    face_points()
    masks()
    upscalers()
    infer_speech.generate(model, write)
    total = sum(f.stat().st_size for f in OUT.glob("real_*.json"))
    print(f"{total} bytes in all")


generate = main

if __name__ == "__main__":
    main()
