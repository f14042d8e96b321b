"""Golden vectors of motion/block_motion and motion/optical_flow."""

import cv2
import numpy as np

from golden import lcg, write


def block_motion() -> None:
    # Few levels make ties; a shifted part of the frame before makes exact matches.
    for seed, (w, h, block, reach, levels) in enumerate([(40, 27, 8, 3, 256), (37, 35, 16, 5, 2), (20, 9, 8, 16, 3), (17, 17, 16, 7, 256)], 800):
        before, now = (lcg(seed, 2, h, w) % levels if levels < 256 else lcg(seed, 2, h, w)).astype(np.int64)
        now = now.copy()
        now[2:h // 2, 3:w // 2] = before[: h // 2 - 2, : w // 2 - 3]
        out = []
        for y in range(0, h, block):
            for x in range(0, w, block):
                part = now[y:y + block, x:x + block]
                bh, bw = part.shape
                found = [(int(np.abs(part - before[y + dy:y + dy + bh, x + dx:x + dx + bw]).sum()), dx * dx + dy * dy, dy, dx)
                         for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)
                         if 0 <= y + dy <= h - bh and 0 <= x + dx <= w - bw]
                sad, _, dy, dx = min(found)
                out += [dx, dy, sad]
        write("motion/block_motion", f"{w}x{h}_b{block}_r{reach}_l{levels}_s{seed}", "numpy: exhaustive search", 0, "integer sums",
              width=w, height=h, seed=seed, levels=levels, block=block, range=reach, out=out)


def optical_flow() -> None:
    """Texture of several sizes with grain, moved by a known affine map; how far cv2.DISOpticalFlow is off on the same pictures."""
    w, h = 96, 72
    rng = np.random.default_rng(42)
    texture = sum(cv2.GaussianBlur(rng.normal(0, 1, (300, 300)), (0, 0), s) * s for s in (1, 2, 4, 8))
    texture = (128 + 45 * texture / texture.std()).astype(np.float32)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    for name, angle, tx, ty in [("shift", 0, 3.3, -1.7), ("far", 0, -7.6, 6.4), ("turn", 2, 0.5, 0)]:
        c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        move = np.array([[c, -s, tx], [s, c, ty], [0, 0, 1]])
        move[:2, 2] += [w / 2, h / 2] - move[:2, :2] @ [w / 2, h / 2]
        view = np.array([[1, 0, 100], [0, 1, 100], [0, 0, 1]], np.float64)
        frames = [cv2.warpAffine(texture, m[:2], (w, h), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP) + rng.normal(0, 1, (h, w))
                  for m in (view, view @ np.linalg.inv(move))]
        before, now = [np.clip(np.rint(f), 0, 255).astype(np.uint8) for f in frames]
        fx, fy = move[0, 0] * x + move[0, 1] * y + move[0, 2] - x, move[1, 0] * x + move[1, 1] * y + move[1, 2] - y
        inner = (np.minimum(x, x + fx) >= 8) & (np.maximum(x, x + fx) < w - 8) & (np.minimum(y, y + fy) >= 8) & (np.maximum(y, y + fy) < h - 8)
        errors = {}
        for key, preset in [("dis_fast", cv2.DISOPTICAL_FLOW_PRESET_FAST), ("dis_medium", cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)]:
            flow = cv2.DISOpticalFlow_create(preset).calc(before, now, None)
            errors[key] = round(float(np.hypot(flow[..., 0] - fx, flow[..., 1] - fy)[inner].mean()), 4)
        write("motion/optical_flow", f"{name}_{w}x{h}", "cv2.warpAffine; cv2.DISOpticalFlow for its errors", 0.2,
              "mean end-point error in pixels, 8 pixels off the border", width=w, height=h, move=move[:2].ravel().tolist(),
              before=before, now=now, **errors)


def generate() -> None:
    block_motion()
    optical_flow()
