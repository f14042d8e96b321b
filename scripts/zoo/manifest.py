"""Entries of `models.toml` (the type is in src/infer/manifest.rs) as text."""

import json


def value(v) -> str:
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, (int, float)):
        return repr(v)
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(value(x) for x in v) + "]"
    if isinstance(v, dict):
        return "{ " + ", ".join(f"{k} = {value(x)}" for k, x in v.items()) + " }"
    return json.dumps(v, ensure_ascii=False)


def entry(fields: dict) -> str:
    """One `[[model]]`. Tables that are empty are left out; numbers are floats, as the type has them."""
    lines = ["[[model]]"]
    lines += [f"{k} = {value(v)}" for k, v in fields.items() if not isinstance(v, dict)]
    for name in ("inputs", "outputs", "numbers"):
        if fields.get(name):
            lines.append(f"{name} = {value({k: float(v) if name == 'numbers' else v for k, v in fields[name].items()})}")
    if fields.get("picture"):
        lines.append("[model.picture]")
        lines += [f"{k} = {value(v)}" for k, v in fields["picture"].items()]
    return "\n".join(lines) + "\n"


def manifest(head: str, entries) -> str:
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    return comment + "\n" + "\n".join(entry(e) for e in entries)


def picture(input=None, layout=None, order=None, scale=None, mean=None, std=None, size=None, multiple=None, fit=None, anchor=None,
            pad=None) -> dict:
    """The table of the input that takes pictures; one number for mean or std stands for three."""
    three = lambda v: [float(v)] * 3 if isinstance(v, (int, float)) else [float(x) for x in v] if v else None
    fields = {"input": input, "layout": layout, "order": order, "scale": scale and float(scale), "mean": three(mean), "std": three(std),
              "size": size and list(size), "multiple": multiple, "fit": fit, "anchor": anchor, "pad": pad and float(pad)}
    return {k: v for k, v in fields.items() if v is not None}


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
