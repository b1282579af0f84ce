"""Writes tests/samples/print/modules.json: modules as PyTorch prints them, each beside the expression that makes it in tdsl.

    python3 tests/reference/module_reference.py

The expressions read the same in both languages but for the sign between the name and the value of an argument.
"""

import json
import re
from pathlib import Path

from torch import nn  # noqa: F401  (the expressions use it)

LAYERS = [
    "Linear(784, 256)",
    "Linear(3, 2, bias=False)",
    "Bilinear(2, 3, 4)",
    "Embedding(10, 3)",
    "Embedding(10, 3, padding_idx=0)",
    "Conv1d(2, 4, 3)",
    "Conv2d(1, 6, 5, padding=2)",
    "Conv2d(4, 4, 3, stride=2, dilation=2, groups=2, bias=False)",
    "Conv2d(1, 2, [3, 5], padding='same', padding_mode='circular')",
    "Conv3d(1, 2, 3, stride=[1, 2, 2])",
    "ConvTranspose1d(2, 4, 3, output_padding=1, stride=2)",
    "ConvTranspose2d(2, 4, 3, stride=2, padding=1)",
    "MaxPool1d(2)",
    "MaxPool2d(2)",
    "MaxPool2d(3, stride=2, padding=1, ceil_mode=True)",
    "MaxPool3d(2)",
    "AvgPool1d(2)",
    "AvgPool2d(3, stride=2)",
    "AvgPool3d(2)",
    "AdaptiveAvgPool2d([1, 1])",
    "AdaptiveAvgPool2d(1)",
    "Flatten()",
    "Identity()",
    "Dropout()",
    "Dropout(0.2)",
    "Dropout2d(0.3)",
    "BatchNorm1d(8)",
    "BatchNorm2d(3, eps=0.001, momentum=0.01)",
    "BatchNorm3d(4, affine=False, track_running_stats=False)",
    "LayerNorm(10)",
    "LayerNorm([3, 4], elementwise_affine=False)",
    "GroupNorm(2, 4)",
    "ReLU()",
    "ReLU6()",
    "LeakyReLU()",
    "LeakyReLU(0.2)",
    "ELU()",
    "SELU()",
    "CELU(0.5)",
    "GELU()",
    "GELU('tanh')",
    "SiLU()",
    "Mish()",
    "Sigmoid()",
    "LogSigmoid()",
    "Tanh()",
    "Softplus()",
    "Softplus(beta=2, threshold=10.5)",
    "Softsign()",
    "Hardtanh()",
    "Hardsigmoid()",
    "Hardswish()",
    "Softmax(dim=1)",
    "LogSoftmax(dim=-1)",
    "GLU()",
    "PReLU()",
    "PReLU(4)",
    "Sequential(Linear(4, 8), ReLU(), Linear(8, 1))",
    "Sequential(Sequential(Linear(4, 8), ReLU()), Dropout(0.5), Linear(8, 1, bias=False))",
]


def tdsl(expression):
    text = re.sub(r"(\w+)=", r"\1: ", expression).replace("'", '"')
    return text.replace("True", "true").replace("False", "false")


def torch_text(expression):
    # Lists of sizes are tuples there.
    python = re.sub(r"\[([^\]]*)\]", r"(\1)", expression)
    return str(eval(re.sub(r"\b([A-Z]\w+)\(", r"nn.\1(", python)))


cases = [{"tdsl": tdsl(layer), "text": torch_text(layer)} for layer in LAYERS]
path = Path(__file__).parent.parent / "samples" / "print" / "modules.json"
path.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
