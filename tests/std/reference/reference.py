"""Writes the reference cases of the library, in the format of the conformance cases: values and gradients from PyTorch 1.13 on the CPU.

    python3 tests/std/reference/reference.py

The tables of cases are in cases_*.py, one row a case: name, PyTorch's source, the expression (or None for a program), the inputs.
"""
import importlib
import json
import math
import os
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here))
sys.dont_write_bytecode = True
torch.set_num_threads(1)

names = {
    torch.float16: "f16", torch.bfloat16: "bf16", torch.float32: "f32", torch.float64: "f64", torch.uint8: "u8", torch.int8: "i8",
    torch.int16: "i16", torch.int32: "i32", torch.int64: "i64", torch.bool: "bool",
}
dtypes = {name: dtype for dtype, name in names.items()}


def number(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return "nan"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
    return value


def elements(tensor):
    flat = tensor.detach().cpu().reshape(-1)
    if tensor.dtype == torch.float32:
        return [number(float(np.format_float_positional(v, unique=True)) if np.isfinite(v) else float(v)) for v in flat.numpy()]
    if tensor.dtype in (torch.float16, torch.bfloat16):
        return [number(v) for v in flat.float().tolist()]
    return [number(v) for v in flat.tolist()]


def encode(name, tensor):
    entry = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data": elements(tensor)}
    return entry if name is None else {"name": name, **entry}


def make(spec, generator):
    """A tensor from `"f32[2,3]"` (random), `"f32[2,3] low high"`, or (dtype, nested list)."""
    if isinstance(spec, tuple):
        return torch.tensor(spec[1], dtype=dtypes[spec[0]])
    head, *bounds = spec.split()
    dtype, shape = head.rstrip("]").split("[")
    shape = [int(n) for n in shape.split(",") if n]
    low, high = (float(b) for b in bounds) if bounds else (-2.0, 2.0)
    raw = torch.rand(shape, generator=generator, dtype=torch.float64) * (high - low) + low
    if dtype == "bool":
        return raw > 0
    if dtypes[dtype].is_floating_point:
        return (torch.round(raw * 100) / 100).to(dtypes[dtype])
    return torch.round(raw).to(dtypes[dtype])


def run(source, inputs):
    scope = {"torch": torch, "F": F, "nn": nn, "math": math, "np": np, **inputs}
    *statements, last = source.split("\n")
    exec("\n".join(statements), scope)
    result = eval(last, scope)
    results = list(result) if isinstance(result, (tuple, list)) else [result]
    return [r if isinstance(r, torch.Tensor) else torch.tensor(r) for r in results]


def widest(tensors):
    return [t.double() if t.dtype == torch.float32 else t for t in tensors]


def gradients(source, inputs, cotangents, constant):
    """The gradient of each float input but the constant ones of Σ output · cotangent; None where there is none."""
    leaves = {n: t.clone().requires_grad_(True) for n, t in inputs.items() if t.is_floating_point() and n not in constant}
    # Products by 1, so that operations that return their input do not make it an output.
    outputs = run(source, {n: leaves[n] * 1 if n in leaves else t for n, t in inputs.items()})
    loss = sum((o * c).sum() for o, c in zip(outputs, cotangents) if c is not None and o.requires_grad)
    if not isinstance(loss, torch.Tensor) or not leaves:
        return None
    return dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)))


def make_case(group, row):
    name, source, expr, specs, *rest = row
    options = rest[0] if rest else {}
    generator = torch.Generator().manual_seed(sum(map(ord, group + name)))
    inputs = {n: make(spec, generator) for n, spec in specs.items()}
    outputs = run(source, inputs)
    kind = {"kind": "trace"} if expr is None else {"kind": "op", "expr": expr}
    case = {"id": f"{group}.{name}", "group": group, "op": name, "torch": source, **kind}
    case["inputs"] = [encode(n, t) for n, t in inputs.items()]
    case["outputs"] = [encode(f"out{i}", t.contiguous()) for i, t in enumerate(outputs)]
    half = any(t.dtype in (torch.float16, torch.bfloat16) for t in outputs + list(inputs.values()))
    is_f64 = any(t.dtype == torch.float64 for t in outputs) and not any(t.dtype == torch.float32 for t in outputs)
    rtol, atol = (1e-10, 1e-12) if is_f64 else (1e-2, 1e-3) if half else (1e-5, 1e-6)
    pairs = []
    if not half:
        wide = {n: t.double() if t.dtype == torch.float32 else t for n, t in inputs.items()}
        pairs += list(zip(outputs, run(source, wide)))
    if options.get("grad", True) and any(o.is_floating_point() for o in outputs) and not half:
        cycle = [0.5, -1.0, 0.25, 2.0, -0.5, 1.0, 1.5]
        weights = [
            torch.tensor([cycle[k % 7] for k in range(o.numel())], dtype=o.dtype).reshape(o.shape) if o.is_floating_point() else None
            for o in outputs
        ]
        constant = options.get("constant", [])
        found = gradients(source, inputs, weights, constant)
        if found is not None:
            case["cotangents"] = {f"out{i}": elements(w) for i, w in enumerate(weights) if w is not None}
            case["grads"] = {n: None if g is None else encode(None, g.contiguous()) for n, g in found.items()}
            exact = gradients(source, wide, [w if w is None else w.double() if w.dtype == torch.float32 else w for w in weights], constant)
            pairs += [(g, exact[n]) for n, g in found.items() if g is not None and exact[n] is not None]
    for got, want in pairs:
        if got.dtype == torch.float32 and want.dtype == torch.float64:
            error = (got.double() - want).abs()
            error = error[torch.isfinite(error)]
            if error.numel():
                atol = max(atol, 4 * float(error.max()))
    if any(t.is_floating_point() for t in outputs):
        case["tol"] = {"rtol": rtol, "atol": atol}
    if options.get("tags"):
        case["tags"] = options["tags"]
    return case


def main():
    for path in sorted(here.glob("cases_*.py")):
        module = importlib.import_module(path.stem)
        for file, text in getattr(module, "programs", {}).items():
            (here / file).write_text(text)
        for group, rows in module.groups.items():
            cases = []
            for row in rows:
                try:
                    cases.append(make_case(group, row))
                except Exception as error:  # the row is wrong: say which
                    raise SystemExit(f"{path.name}: {group}.{row[0]}: {error}") from error
            twice = {c["id"] for i, c in enumerate(cases) if c["id"] in {d["id"] for d in cases[:i]}}
            assert not twice, f"two cases have one name: {sorted(twice)}"
            text = ",\n".join("  " + json.dumps(c) for c in cases)
            head = f'{{"format": 1, "group": "{group}", "split": "std", "count": {len(cases)}, "oracle": "torch {torch.__version__} cpu",'
            (here / f"{group}.json").write_text(f'{head}\n "cases": [\n{text}\n]}}\n')
            print(f"{group}: {len(cases)} cases")


main()
