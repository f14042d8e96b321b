#!/usr/bin/env python3
"""Trackers of Frameloom against ByteTrack of the PyPI package `trackers`, on the same detections of scenes with exact truth.

    python3 -m venv /somewhere && /somewhere/bin/pip install trackers trackeval
    cargo build --example 13_track_and_count
    /somewhere/bin/python scripts/eval_mot.py target/debug/examples/13_track_and_count

A scene is 20 objects that walk, stop and turn, cross and hide each other, leave and come in. `perfect` detections are the truth;
`degraded` ones tremble, are missing more often the more of the object is hidden, have scores to match, and there are false ones.
HOTA, IDF1 and MOTA are computed by TrackEval over all scenes of a kind together. With `--json FILE` the figures go there too. Exit code
1 when ByteTrack of Frameloom is more than 0.5 points below the package in any figure.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np

warnings.filterwarnings("ignore")

W, H, OBJECTS = 1280, 720, 20
#        kind      rate  shake in pixels
KINDS = {"calm": (30, 0.0), "shake": (30, 6.0), "slow": (10, 0.0)}


def scene(seed, rate, shake, seconds=20):
    """Truth: per frame a list of (id, x, y, w, h, visible share)."""
    rng = np.random.default_rng(seed)
    next_id = OBJECTS + 1
    people = []

    def enter(ident, anywhere):
        depth = rng.uniform(0.3, 1.0)
        h = 60 + 140 * depth
        x = rng.uniform(0, W) if anywhere else rng.choice([-0.2 * h, W + 0.2 * h])
        direction = rng.choice([-1, 1]) if anywhere else (1 if x < 0 else -1)
        return dict(id=ident, x=x, y=120 + 480 * depth, h=h, w=0.4 * h, v=direction * rng.uniform(30, 160),
                    vy=rng.uniform(-15, 15), stop=0.0)

    people = [enter(i + 1, True) for i in range(OBJECTS)]
    frames, offset = [], np.zeros(2)
    for _ in range(seconds * rate):
        dt = 1 / rate
        offset = 0.7 * offset + rng.normal(0, shake, 2) if shake else offset
        for k, p in enumerate(people):
            if p["stop"] > 0:
                p["stop"] -= dt
            else:
                p["x"] += p["v"] * dt
                p["y"] = float(np.clip(p["y"] + p["vy"] * dt, 150, 640))
                if rng.random() < 0.15 * dt:
                    p["stop"] = rng.uniform(0.5, 2)
                if rng.random() < 0.1 * dt:
                    p["v"] = -p["v"]
            if p["x"] < -0.25 * p["h"] or p["x"] > W + 0.25 * p["h"]:
                people[k] = enter(next_id, False)
                next_id += 1
        boxes = sorted(((p["y"], p) for p in people), key=lambda b: -b[0])  # nearest first
        mask = np.zeros((H // 4, W // 4), bool)
        found = []
        for _, p in boxes:
            x, y = p["x"] - p["w"] / 2 + offset[0], p["y"] - p["h"] / 2 + offset[1]
            a, b = int(max(x, 0)) // 4, int(min(x + p["w"], W)) // 4
            c, d = int(max(y, 0)) // 4, int(min(y + p["h"], H)) // 4
            area = (p["w"] / 4) * (p["h"] / 4)
            if b <= a or d <= c:
                continue
            visible = float((~mask[c:d, a:b]).sum() / area)
            mask[c:d, a:b] = True
            if visible > 0.05:
                found.append((p["id"], x, y, p["w"], p["h"], min(visible, 1.0)))
        frames.append(sorted(found))
    return frames


def detect(frames, degraded, seed):
    """Detections: per frame an array of x, y, w, h, score."""
    rng = np.random.default_rng(seed + 1000)
    out = []
    for truth in frames:
        rows = []
        for _, x, y, w, h, visible in truth:
            if not degraded:
                rows.append((x, y, w, h, 1.0))
                continue
            if rng.random() > 0.35 + 0.62 * visible:
                continue
            score = float(np.clip(0.15 + 0.75 * visible + rng.normal(0, 0.08), 0.05, 0.99))
            noise = rng.normal(0, 0.03, 4) * (1.6 - visible)
            rows.append((x + noise[0] * w, y + noise[1] * h, w * (1 + noise[2]), h * (1 + noise[3]), score))
        if degraded:
            for _ in range(rng.poisson(0.5)):
                h = rng.uniform(60, 200)
                rows.append((rng.uniform(0, W - h), rng.uniform(0, H - h), 0.4 * h, h, rng.uniform(0.1, 0.65)))
        out.append(np.array(rows, float).reshape(-1, 5))
    return out


def ours(binary, tracker, detections, rate, folder):
    source, target = folder / "det.txt", folder / "tracks.txt"
    with open(source, "w") as f:
        for t, rows in enumerate(detections):
            f.writelines(f"{t + 1},-1,{x:.4f},{y:.4f},{w:.4f},{h:.4f},{s:.5f}\n" for x, y, w, h, s in rows)
    subprocess.run([binary, source, target, tracker, str(rate)], check=True, stdout=subprocess.DEVNULL)
    out = [[] for _ in detections]
    for line in open(target):
        f = line.split(",")
        out[int(f[0]) - 1].append((int(f[1]), *map(float, f[2:6])))
    return out


def package(detections, rate):
    import supervision as sv
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(frame_rate=float(rate))
    out = []
    for rows in detections:
        xyxy = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1)
        boxes = sv.Detections(xyxy=xyxy, confidence=rows[:, 4].copy(), class_id=np.zeros(len(rows), int))
        found = tracker.update(boxes)
        out.append([
            (int(i), b[0], b[1], b[2] - b[0], b[3] - b[1]) for i, b in zip(found.tracker_id, found.xyxy) if i >= 0
        ])
    return out


def overlaps(a, b):
    a, b = np.array(a, float).reshape(-1, 4), np.array(b, float).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), -1)
    return shared / (np.prod(a[:, 2:], 1)[:, None] + np.prod(b[:, 2:], 1)[None] - shared)


def sequence(truth, tracks):
    """What TrackEval's metrics take."""
    def dense(lists):
        names = {name: i for i, name in enumerate(sorted({r[0] for rows in lists for r in rows}))}
        return len(names), [np.array([names[r[0]] for r in rows], int) for rows in lists]

    gt_count, gt = dense(truth)
    count, ids = dense(tracks)
    similar = [overlaps([r[1:5] for r in a], [r[1:5] for r in b]) for a, b in zip(truth, tracks)]
    return dict(num_timesteps=len(truth), num_gt_ids=gt_count, num_tracker_ids=count, gt_ids=gt, tracker_ids=ids,
                num_gt_dets=sum(map(len, gt)), num_tracker_dets=sum(map(len, ids)), similarity_scores=similar)


def figures(sequences):
    from trackeval import metrics

    out = {}
    for metric, names in [(metrics.HOTA(), ["HOTA"]), (metrics.Identity({"PRINT_CONFIG": False}), ["IDF1"]),
                          (metrics.CLEAR({"PRINT_CONFIG": False}), ["MOTA", "IDSW"])]:
        each = {str(i): metric.eval_sequence(s) for i, s in enumerate(sequences)}
        total = metric.combine_sequences(each)
        for name in names:
            value = float(np.mean(total[name]))
            out[name] = value if name == "IDSW" else 100 * value
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the example 13_track_and_count, built")
    parser.add_argument("--scenes", type=int, default=4, help="scenes of each kind")
    parser.add_argument("--json", help="where figures go")
    args = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp())
    results, worse = {}, []
    print(f"{'scenes':8} {'detections':10} {'tracker':22} {'HOTA':>6} {'IDF1':>6} {'MOTA':>6} {'switches':>8}")
    for kind, (rate, shake) in KINDS.items():
        scenes = [(seed, scene(seed, rate, shake)) for seed in range(args.scenes)]
        for degraded in (False, True):
            found = [(truth, detect(truth, degraded, seed)) for seed, truth in scenes]
            ways = {
                "trackers ByteTrack": lambda d: package(d, rate),
                "frameloom byte-track": lambda d: ours(args.binary, "byte-track", d, rate, folder),
                "frameloom oc-sort": lambda d: ours(args.binary, "oc-sort", d, rate, folder),
                "frameloom seed": lambda d: ours(args.binary, "seed", d, rate, folder),
            }
            quality = "degraded" if degraded else "perfect"
            for name, way in ways.items():
                f = figures([sequence(truth, way(d)) for truth, d in found])
                results[f"{kind}/{quality}/{name}"] = f
                print(f"{kind:8} {quality:10} {name:22} {f['HOTA']:6.2f} {f['IDF1']:6.2f} {f['MOTA']:6.2f} {f['IDSW']:8.0f}")
            peer, own = (results[f"{kind}/{quality}/{n}"] for n in ("trackers ByteTrack", "frameloom byte-track"))
            worse += [f"{kind}/{quality} {m}" for m in ("HOTA", "IDF1", "MOTA") if own[m] < peer[m] - 0.5]
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(results, indent=1))
    if worse:
        print("more than 0.5 points below the package: " + ", ".join(worse), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
