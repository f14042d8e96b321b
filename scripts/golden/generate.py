#!/usr/bin/env python3
"""Golden vectors for the reference: what OpenCV, scikit-image and the text of the standards say.

    python3 -m venv venv && venv/bin/pip install -r scripts/golden/requirements.txt
    venv/bin/python scripts/golden/generate.py            # rewrites tests/golden/
    venv/bin/python scripts/golden/generate.py edges hog  # only what these modules write

One module a family or part of one; each has `generate()`. Those that need the test data and ONNX Runtime (`infer_real`) run only when
they are named, and what lies in tests/golden/infer stays.
"""

import importlib
import shutil
import sys
from pathlib import Path

from golden import ROOT

SHARED = {"generate", "golden"}
NAMED = {"infer_real", "infer_pictures", "infer_speech"}

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    wanted = sys.argv[1:]
    if not wanted:
        for folder in ROOT.iterdir():
            if folder.name != "infer":
                shutil.rmtree(folder)
        wanted = sorted(p.stem for p in here.glob("*.py") if p.stem not in SHARED | NAMED)
    for name in wanted:
        importlib.import_module(name).generate()
    files = sorted(ROOT.rglob("*.json"))
    print(f"{len(files)} files, {sum(f.stat().st_size for f in files)} bytes")
