"""Whether entries of a manifest say the truth about the files."""

import hashlib
import tomllib
from pathlib import Path

import onnx


def check(manifest: Path, folder: Path) -> int:
    """0 when every file has its hash, and every name of an input or output is in the graph."""
    entries = tomllib.loads(manifest.read_text())["model"]
    faults = []
    for e in entries:
        path = folder / e["file"]
        if not path.is_file():
            faults.append(f"{e['name']}: {path} is missing")
            continue
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != e["sha256"]:
            faults.append(f"{e['name']}: SHA-256 is {hashlib.sha256(data).hexdigest()}")
        graph = onnx.load_from_string(data).graph
        inits = {i.name for i in graph.initializer}
        inputs = {i.name for i in graph.input} - inits
        outputs = {o.name for o in graph.output}
        picture = e.get("picture", {}).get("input")
        asked = set(e.get("inputs", {}).values()) | ({picture} if picture else set())
        faults += [f"{e['name']}: no input {n}" for n in asked - inputs]
        faults += [f"{e['name']}: no output {n}" for n in set(e.get("outputs", {}).values()) - outputs]
        if "picture" in e and not picture and len(inputs) != 1:
            faults.append(f"{e['name']}: which of {sorted(inputs)} takes pictures?")
    listed = {e["file"] for e in entries}
    faults += [f"not listed: {p.name}" for p in sorted(folder.glob("*.onnx")) if p.name not in listed]
    print("\n".join(faults) or f"{len(entries)} entries agree with their files")
    return 1 if faults else 0
