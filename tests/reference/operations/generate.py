"""Writes the reference cases of the operations, in the format of the conformance cases: values and gradients from PyTorch 1.13 on the CPU.

    python3 tests/reference/operations/generate.py

The tables are in cases_*.py: a dictionary of groups, each a text with one case a line:

    expression | name dtype[shape] low:high, name dtype{values} | options

`dtype[shape]` draws distinct numbers from low to high (-2 to 2), `dtype{values}` gives a nested list. Options: `nograd` records no
gradients, `const=a,b` none by these inputs, `wide` computes f16 and bf16 in f32, `tags=...`, `name=...` instead of the counted name.
"""
import importlib
import json
import math
import pathlib
import re
import sys

import numpy as np
import torch

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here))
sys.dont_write_bytecode = True
torch.set_num_threads(1)

from functions import DTYPES  # noqa: E402
from notation import evaluate, translate  # noqa: E402

NAMES = {dtype: name for name, dtype in DTYPES.items()}
HALF = (torch.float16, torch.bfloat16)


def number(value):
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def elements(tensor):
    flat = tensor.detach().reshape(-1)
    if tensor.dtype == torch.float32:
        return [number(float(np.format_float_positional(v, unique=True)) if np.isfinite(v) else float(v)) for v in flat.numpy()]
    return [number(v) for v in (flat.float() if tensor.dtype in HALF else flat).tolist()]


def encode(name, tensor):
    entry = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data": elements(tensor)}
    return entry if name is None else {"name": name, **entry}


def draw(dtype, shape, low, high, generator):
    """Distinct numbers in random order; integers and bools are drawn independently."""
    count = math.prod(shape)
    if dtype == torch.bool:
        return torch.rand(shape, generator=generator) > 0.5
    if not dtype.is_floating_point:
        return torch.randint(int(low), int(high) + 1, shape, generator=generator).to(dtype)
    places = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / max(count, 1)
    return (torch.round((places.double() * (high - low) + low) * 1000) / 1000).reshape(shape).to(dtype)


def parse_inputs(text, generator):
    inputs = {}
    for match in re.finditer(r"(\w+) (\w+)(?:\[([\d,]*)\](?: (-?[\d.]+):(-?[\d.]+))?|\{(.*?)\})(?:, |$)", text.strip()):
        name, dtype, shape, low, high, data = match.groups()
        if data is not None:
            value = eval(data, {"nan": math.nan, "inf": math.inf, "true": True, "false": False})
            inputs[name] = torch.tensor(value, dtype=DTYPES[dtype])
        else:
            sizes = [int(n) for n in shape.split(",") if n]
            inputs[name] = draw(DTYPES[dtype], sizes, float(low or -2), float(high or 2), generator)
    assert "".join(inputs) or not text.strip(), f"no inputs in {text}"
    return inputs


def gradients(expr, inputs, cotangents, constant):
    leaves = {n: t.clone().requires_grad_(True) for n, t in inputs.items() if t.is_floating_point() and n not in constant}
    if not leaves:
        return None
    outputs = evaluate(expr, {n: leaves[n] * 1 if n in leaves else t for n, t in inputs.items()})
    terms = [(o * c).sum() for o, c in zip(outputs, cotangents) if c is not None and o.requires_grad]
    return None if not terms else dict(zip(leaves, torch.autograd.grad(sum(terms), list(leaves.values()), allow_unused=True)))


def evaluate_half(expr, inputs, wide):
    """What PyTorch gives in f32, rounded once, is the reference for f16 and bf16 where it lacks an operation on the CPU, or (`wide`) rounds
    in between."""
    try:
        if not wide:
            return evaluate(expr, inputs)
    except RuntimeError as error:
        if "not implemented for" not in str(error):
            raise
    half = next(t.dtype for t in inputs.values() if t.dtype in HALF)
    outputs = evaluate(expr, {n: t.float() if t.dtype in HALF else t for n, t in inputs.items()})
    return [o.to(half) if o.dtype == torch.float32 else o for o in outputs]


def widen(tensors):
    return {n: t.double() if t.dtype == torch.float32 else t for n, t in tensors.items()}


def make_case(group, index, line):
    expr, inputs_text, options_text = [*(part.strip() for part in line.split(" | ")), "", ""][:3]
    options = dict((o.split("=", 1) + [""])[:2] for o in options_text.split())
    constant = options.get("const", "").split(",")
    generator = torch.Generator().manual_seed(sum(map(ord, line)))
    inputs = parse_inputs(inputs_text, generator)
    op = re.search(r"[A-Za-z_]\w*", expr).group(0)
    outputs = evaluate_half(expr, inputs, "wide" in options)
    case = {"id": f"{group}.{options.get('name', f'{op}_{index}')}", "group": group, "op": op, "torch": translate(expr), "kind": "op", "expr": expr}
    case["inputs"] = [encode(n, t) for n, t in inputs.items()]
    case["outputs"] = [encode(f"out{i}", t.contiguous()) for i, t in enumerate(outputs)]
    floats = [t for t in [*outputs, *inputs.values()] if t.is_floating_point()]
    half = any(t.dtype in HALF for t in floats)
    double = any(t.dtype == torch.float64 for t in floats) and not any(t.dtype == torch.float32 for t in floats)
    rtol, atol = (1e-10, 1e-12) if double else (1e-5, 1e-6)
    if half:  # one rounding of the result may differ, where PyTorch accumulates in another order
        rtol, atol = (8e-3, 1e-3) if any(t.dtype == torch.bfloat16 for t in floats) else (1e-3, 1e-4)
    if "tol" in options:
        rtol, atol = float(options["tol"]), float(options["tol"])
    pairs = []
    if not half:
        try:
            pairs += list(zip(outputs, evaluate(expr, widen(inputs))))
        except RuntimeError:
            pass  # dtypes that the expression names do not go with f64
    if "nograd" not in options and not half and any(o.is_floating_point() for o in outputs):
        cycle = [0.5, -1.0, 0.25, 2.0, -0.5, 1.0, 1.5]
        weights = [
            torch.tensor([cycle[k % 7] for k in range(o.numel())], dtype=o.dtype).reshape(o.shape) if o.is_floating_point() else None
            for o in outputs
        ]
        found = gradients(expr, inputs, weights, constant)
        if found is not None:
            case["cotangents"] = {f"out{i}": elements(w) for i, w in enumerate(weights) if w is not None}
            case["grads"] = {n: None if g is None else encode(None, g.contiguous()) for n, g in found.items()}
            wide = [w if w is None or w.dtype != torch.float32 else w.double() for w in weights]
            try:
                exact = gradients(expr, widen(inputs), wide, constant)
                pairs += [(g, exact[n]) for n, g in found.items() if g is not None and exact[n] is not None]
            except RuntimeError:
                pass
    for got, want in pairs:
        if got.dtype == torch.float32 and want.dtype == torch.float64:
            error = (got.double() - want).abs()
            error = error[torch.isfinite(error)]
            atol = max(atol, 4 * float(error.max())) if error.numel() else atol
    if any(t.is_floating_point() for t in outputs):
        case["tol"] = {"rtol": rtol, "atol": atol}
    if "tags" in options:
        case["tags"] = options["tags"].split(",")
    return case


def main(wanted):
    wrong = []
    for path in sorted(here.glob("cases_*.py")):
        for group, text in importlib.import_module(path.stem).groups.items():
            if wanted and group not in wanted:
                continue
            cases = []
            for line in filter(None, (line.strip() for line in text.splitlines())):
                if line.startswith("#"):
                    continue
                try:
                    cases.append(make_case(group, len(cases), line))
                except Exception as error:  # the line is wrong: say which
                    wrong.append(f"{path.name}: {group}: {line}\n  {translate(line.split(' | ')[0])}\n  {type(error).__name__}: {error}")
            body = ",\n".join("  " + json.dumps(c) for c in cases)
            head = f'{{"format": 1, "group": "{group}", "split": "operations", "count": {len(cases)}, "oracle": "torch {torch.__version__} cpu",'
            (here / f"{group}.json").write_text(f'{head}\n "cases": [\n{body}\n]}}\n')
            print(f"{group}: {len(cases)} cases")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main(sys.argv[1:])
