"""The training steps that are checked and timed, as data, and their calls."""

import random
from collections import namedtuple

from abi import elements, encode

# Inputs are a dtype, a shape by symbols and the number that values are below; the losses of `check` are compared, steps of the sizes in `times` are timed.
Training = namedtuple("Training", "inputs check times")
TRAINING = {
    "mlp": Training([("f32", ["B", 784], 1), ("i64", ["B"], 10)], dict(B=32), [dict(B=32), dict(B=256)]),
    "lenet": Training([("f32", ["B", 1, 28, 28], 1), ("i64", ["B"], 10)], dict(B=32), [dict(B=64)]),
    "vgg": Training([("f32", ["B", 3, 32, 32], 1), ("i64", ["B"], 10)], dict(B=8), [dict(B=32), dict(B=256)]),
    "gpt": Training([("i64", ["B", "T"], 65)] * 2, dict(B=4, T=32), [dict(B=16, T=64), dict(B=64, T=64)]),
}


def numbers(name, sizes):
    """The inputs of a step, the same every time: dtype, shape, values."""
    source = random.Random(name)
    shaped = [(dtype, [sizes.get(size, size) for size in shape], below) for dtype, shape, below in TRAINING[name].inputs]
    return [
        (dtype, shape, [source.randrange(below) if dtype == "i64" else source.random() for _ in range(elements(shape))])
        for dtype, shape, below in shaped
    ]


def training_call(model, name, sizes):
    """The step of a model that was just initialised."""
    call = model.prepare("init", {}, [model.upload(encode("i64", [1, 0]))])
    call()
    model.sync()
    return model.prepare("step", sizes, [model.upload(encode(dtype, values)) for dtype, _, values in numbers(name, sizes)])
