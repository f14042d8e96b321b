"""What all generators of golden vectors share.

Inputs are made by a formula that the tests repeat (`lcg`), so only outputs are stored. Every file names the function that made
it and the versions of the libraries. `tolerance` is the largest accepted difference and `why` says where it comes from.
"""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import skimage

ROOT = Path(__file__).resolve().parents[2] / "tests" / "golden"
VERSIONS = {"opencv": cv2.__version__, "scikit-image": skimage.__version__, "numpy": np.__version__}


def lcg(seed: int, *shape: int) -> np.ndarray:
    """s = 1664525*s + 1013904223 mod 2^32 from s = seed; byte = s >> 24."""
    s, out = seed, bytearray()
    for _ in range(math.prod(shape)):
        s = (1664525 * s + 1013904223) & 0xFFFFFFFF
        out.append(s >> 24)
    return np.frombuffer(bytes(out), np.uint8).reshape(shape)


def write(op: str, name: str, source: str, tolerance: float, why: str, **fields) -> None:
    for key, value in fields.items():
        if isinstance(value, np.ndarray):
            fields[key] = value.tobytes().hex() if value.dtype == np.uint8 else value.ravel().tolist()
    record = {"source": source, "tolerance": tolerance, "why": why, "versions": VERSIONS, **fields}
    path = ROOT / op / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, separators=(",", ":")).replace('","', '",\n"') + "\n")
