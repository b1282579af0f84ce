"""Writes tests/samples/formats/npy.json: files of NumPy in base64, each with the elements that they hold.

    python3 tests/reference/npy_reference.py
"""

import base64
import io
import json
import math
from pathlib import Path

import numpy as np

rng = np.random.default_rng(7)
ARRAYS = {
    "bool": np.array([[True, False], [False, True]]),
    "u8": np.arange(6, dtype=np.uint8).reshape(2, 3),
    "i8": np.array([-128, 127], dtype=np.int8),
    "i16": np.array([[-300], [300]], dtype=np.int16),
    "i32 big endian": np.array([1, -2, 70000], dtype=">i4"),
    "i64": np.array([2**53 - 1, -7], dtype=np.int64),
    "f16": np.array([0.1, 65504, -np.inf], dtype=np.float16),
    "f32": rng.normal(size=(2, 3)).astype(np.float32),
    "f32 fortran": np.asfortranarray(rng.normal(size=(2, 3, 4)).astype(np.float32)),
    "f64 big endian fortran": np.asfortranarray(rng.normal(size=(3, 2)).astype(">f8")),
    "f64 scalar": np.array(math.pi),
    "f64 empty": np.zeros((0, 3)),
    "u2": np.array([0, 65535], dtype=np.uint16),
    "u4": np.array([4294967295], dtype=np.uint32),
    "u8 big": np.array([9007199254740991], dtype=np.uint64),
    "nan": np.array([np.nan, 1.5, -0.0]),
}


def number(value):
    value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def data(array):
    return {"shape": list(array.shape), "data": [number(x) for x in array.flatten(order="C")]}


def saved(write):
    buffer = io.BytesIO()
    write(buffer)
    return base64.b64encode(buffer.getvalue()).decode()


files = [
    {"name": f"{name} v{version[0]}", **data(array),
     "bytes": saved(lambda f: np.lib.format.write_array(f, array, version=version))}
    for name, array in ARRAYS.items() for version in ((1, 0), (2, 0), (3, 0))
    if version == (1, 0) or name == "f32 fortran"
]
pair = {"x": ARRAYS["f32"], "labels": ARRAYS["i64"]}
archives = [
    {"name": name, "arrays": {key: data(array) for key, array in pair.items()},
     "bytes": saved(lambda f: save(f, **pair))}
    for name, save in (("savez", np.savez), ("savez_compressed", np.savez_compressed))
]
refused = [
    {"name": name, "bytes": saved(lambda f: np.save(f, array, allow_pickle=True))}
    for name, array in {
        "complex": np.array([1j]),
        "objects": np.array([{}, 1], dtype=object),
        "text": np.array(["a"]),
        "records": np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]),
        "long double": np.array([1], dtype=np.longdouble),
    }.items()
]
path = Path(__file__).parent.parent / "samples" / "formats" / "npy.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps({"files": files, "archives": archives, "refused": refused}, indent=1) + "\n")
