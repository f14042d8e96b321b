#!/usr/bin/env python3
"""Writes graphs in the place of models that cannot be shipped, and tiny ones for tests.

    pip install onnx numpy
    python3 scripts/make_models.py                 # stand-ins and their models.toml into models/ (ignored by git)
    python3 scripts/make_models.py --only sam2     # those whose name contains this
    python3 scripts/make_models.py --list          # what there is
    python3 scripts/make_models.py --tiny          # rewrites tests/fixtures/models
    python3 scripts/make_models.py --check         # are those still what this script writes?
    python3 scripts/make_models.py --check-data shared/data/onnx   # do scripts/data_models.toml and the files agree?

The same bytes come out on every run and every machine: weights are counted out by SplitMix64, nothing is taken from a clock or a
generator that may change. A stand-in has the inputs and outputs of the usual public export. Its layers are those of the real network, or
narrower ones of the same form where that one is huge (LaMa, CodeFormer, SAM 2; none for detectors), so plumbing, batching and memory are
real. What it says about a picture follows a rule that its note tells, or means nothing.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "fixtures" / "models"


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(files)} files, {sum(map(len, files.values()))} bytes in {folder}")


def check(folder: Path, files: dict[str, bytes]) -> int:
    """0 when `folder` holds exactly these files."""
    here = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    faults = [f"missing: {n}" for n in files.keys() - here.keys()] + [f"not written here: {n}" for n in here.keys() - files.keys()]
    faults += [f"different: {n}" for n in files.keys() & here.keys() if files[n] != here[n]]
    print("\n".join(sorted(faults)) or f"{len(files)} files are as they should be")
    return 1 if faults else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "models", help="folder for the stand-ins (models/)")
    parser.add_argument("--only", default="", help="only stand-ins whose name contains this; models.toml then lists only them")
    parser.add_argument("--list", action="store_true", help="names, files and what they stand for")
    parser.add_argument("--tiny", action="store_true", help="write tests/fixtures/models")
    parser.add_argument("--check", action="store_true", help="compare tests/fixtures/models with what would be written")
    parser.add_argument("--check-data", type=Path, metavar="FOLDER", help="compare scripts/data_models.toml with the files in FOLDER")
    args = parser.parse_args()
    if args.check_data:
        from zoo import data

        return data.check(ROOT / "scripts" / "data_models.toml", args.check_data)
    if args.tiny or args.check:
        from zoo import tiny

        files = tiny.files()
        if args.check:
            return check(FIXTURES, files)
        write(FIXTURES, files)
        return 0
    from zoo import stand_ins

    if args.list:
        print(stand_ins.listing())
        return 0
    return stand_ins.write(args.out, args.only)


if __name__ == "__main__":
    sys.exit(main())
