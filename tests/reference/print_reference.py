#!/usr/bin/env python3
"""Writes tests/samples/print/torch.json: tensors and the text that PyTorch prints for them.

Run with a Python that has PyTorch; the result is committed, so that the tests need none.
"""

import json
import math
import pathlib
import random

import torch

TORCH_NAMES = {"bool": torch.bool, "u8": torch.uint8, "i8": torch.int8, "i16": torch.int16, "i32": torch.int32,
               "i64": torch.int64, "f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32,
               "f64": torch.float64}
OPTION_NAMES = {"precision": "precision", "threshold": "threshold", "edgeItems": "edgeitems",
                "lineWidth": "linewidth", "sciMode": "sci_mode"}


def jsonable(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, float) and value == 0 and math.copysign(1, value) < 0:
        return "-0"
    return value


def case(dtype, shape, data, options=None):
    tensor = torch.tensor(data, dtype=TORCH_NAMES[dtype]).reshape(shape)
    torch.set_printoptions(profile="default", sci_mode=None)
    torch.set_printoptions(**{OPTION_NAMES[name]: value for name, value in (options or {}).items()})
    text = str(tensor)
    torch.set_printoptions(profile="default", sci_mode=None)
    return {"dtype": dtype, "shape": shape, "data": [jsonable(v) for v in data], "options": options or {}, "text": text}


def cases():
    rng = random.Random(5)
    inf, nan = math.inf, math.nan
    floats = [
        [0.0], [-0.0], [-0.0, 1.5], [1.0], [28.0], [0.5], [0.03125, 0.09375], [0.00005, 1.0], [1e-5], [1e8, 1.0], [1e8],
        [100000008.0], [1001.0, 1.0], [1000.0, 1.0], [1000.5, 1.0], [1001.5, 1.0], [nan], [inf, -inf, nan], [inf, 1.0],
        [nan, 1.5, -inf], [-1.5947, 0.648, -10.25, 3.0], [1e30, 1.0], [-3.0, -1000.0], [0.0, 1e-20], [3.14], [123456.789],
        [-12345.678, 0.0], [0.99999], [9.99995, 1.0], [99999.99], [2.5, 3.5], [1.00005], [65504.0], [-0.00001, 0.5],
    ]
    for data in floats:
        for dtype in ("f32", "f64"):
            yield case(dtype, [len(data)], data)
            if len(data) == 1:
                yield case(dtype, [], data)
    for dtype in ("f16", "bf16"):
        yield case(dtype, [4], [0.1, -2.5, 3.0, 1.0])
        yield case(dtype, [2, 2], [0.1, 100.0, 3.0, 1e-4])
    for dtype in ("u8", "i8", "i16", "i32", "i64"):
        yield case(dtype, [], [7])
        yield case(dtype, [2, 3], [1, 20, 127, 4, 5, 0])
    yield case("i64", [3], [-1, 2, 123456789])
    yield case("bool", [], [True])
    yield case("bool", [3], [True, False, True])
    for dtype in TORCH_NAMES:
        for shape in ([0], [0, 3], [2, 0], [1, 0, 4]):
            yield case(dtype, shape, [])
    for options in ({"precision": 0}, {"precision": 2}, {"precision": 8}, {"sciMode": True}, {"sciMode": False}):
        for data in ([0.5, 1.5, 2.5], [0.125, 0.375, -0.625], [1.0, 1e10], [2.0, 3.0], [2.5e20, 1e22], [125.0, 135.5]):
            yield case("f64", [len(data)], data, options)
    shapes = [[1], [7], [30], [3, 4], [4, 30], [1, 1, 1], [2, 2, 3], [2, 1, 3, 2], [3, 2, 1, 2, 2]]
    for shape in shapes:
        data = [round(rng.gauss(0, 3), 4) for _ in range(math.prod(shape))]
        yield case("f32", shape, data)
        yield case("f64", shape, [v * 10 ** rng.randint(-3, 3) for v in data])
        yield case("i32", shape, [int(v * 100) for v in data])
        yield case("bool", shape, [v > 0 for v in data])
        small = {"threshold": 3, "edgeItems": 2, "lineWidth": 40}
        yield case("f32", shape, data, small)
        yield case("i64", shape, [int(v) for v in data], small)
    yield case("i64", [2000], list(range(2000)))
    yield case("f32", [7, 150], [float(v) for v in range(1050)])
    yield case("i16", [3, 7, 50], list(range(1050)))


out = pathlib.Path(__file__).parent.parent / "samples" / "print" / "torch.json"
lines = [json.dumps(c) for c in cases()]
out.write_text('{"torch": "%s", "cases": [\n%s\n]}\n' % (torch.__version__, ",\n".join(lines)))
print(f"{len(lines)} cases, {out.stat().st_size} bytes")
