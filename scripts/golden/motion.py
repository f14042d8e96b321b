"""Golden vectors of motion/block_motion."""

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


def generate() -> None:
    block_motion()
