"""Every layer of std.nn as a module of PyTorch: its state by name and shape, and what it gives for parameters that a formula gives.

    python3 tests/reference/layers_reference.py

Writes layers.json beside it. Element k of parameter i is 0.3 sin(k + i), element k of an input cos(k). A row is the expression of the layer,
which reads the same in both languages but for the sign between the name and the value of an argument, and the shapes of its inputs;
`train` asks for the output in training too, with the buffers afterwards.
"""
import json
import re
from pathlib import Path

import torch
from torch import nn

I2 = "2,4,5,6"
LAYERS = [
    ("Linear(3, 4)", "2,3"), ("Linear(3, 4, bias=False)", "2,2,3"), ("Bilinear(2, 3, 4)", "5,2 5,3"), ("Bilinear(2, 3, 4, bias=False)", "5,2 5,3"),
    ("Conv1d(2, 4, 3)", "2,2,7"), ("Conv1d(2, 4, 3, stride=2, padding=1, dilation=2, groups=2)", "2,2,9"), ("Conv1d(2, 3, 4, padding='same')", "1,2,6"),
    *[(f"Conv1d(1, 2, 3, padding=2, padding_mode='{m}')", "2,1,6") for m in ("reflect", "replicate", "circular")],
    ("Conv2d(4, 6, 3)", I2), ("Conv2d(4, 6, [3, 2], stride=[2, 1], padding=[1, 0], bias=False)", I2), ("Conv2d(4, 4, 3, groups=4, padding=1)", I2), ("Conv2d(4, 2, 3, padding='valid')", I2),
    *[(f"Conv2d(4, 2, 3, padding=[1, 2], padding_mode='{m}')", I2) for m in ("zeros", "reflect", "replicate", "circular")], ("Conv2d(4, 2, [2, 3], padding='same', padding_mode='circular')", I2),
    ("Conv3d(2, 3, 2)", "1,2,3,4,3"), ("Conv3d(2, 2, [1, 2, 2], stride=2, padding=1, groups=2)", "1,2,3,4,3"), ("Conv3d(1, 1, 3, padding=1, padding_mode='replicate')", "1,1,3,3,3"),
    ("ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1)", "1,2,4"), ("ConvTranspose2d(4, 2, 3, stride=2, groups=2)", I2), ("ConvTranspose2d(4, 2, [2, 3], dilation=2, bias=False)", I2), ("ConvTranspose3d(2, 2, 2, stride=[1, 2, 2])", "1,2,2,2,3"),
    ("MaxPool1d(2)", "1,2,7"), ("MaxPool2d(3, stride=2, padding=1, ceil_mode=True)", I2), ("MaxPool2d(2, dilation=2)", I2), ("MaxPool3d(2)", "1,2,4,4,4"),
    ("AvgPool1d(3, stride=2, padding=1)", "1,2,7"), ("AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)", I2), ("AvgPool2d(2, divisor_override=3)", I2), ("AvgPool3d(2)", "1,2,4,4,4"),
    ("AdaptiveAvgPool1d(3)", "1,2,7"), ("AdaptiveAvgPool2d([3, 2])", I2), ("AdaptiveAvgPool3d([2, 3, 1])", "1,2,4,5,3"), ("AdaptiveMaxPool1d(3)", "1,2,7"), ("AdaptiveMaxPool2d([3, 4])", I2), ("AdaptiveMaxPool3d(2)", "1,2,4,5,3"),
    ("LPPool1d(2, 3, stride=2)", "1,2,7"), ("LPPool2d(2, 2)", I2), ("PixelShuffle(2)", I2), ("PixelUnshuffle(2)", "1,2,4,6"),
    ("Upsample(scale_factor=2)", I2), ("Upsample(size=[7, 4], mode='bilinear', align_corners=True)", I2), ("Upsample(scale_factor=1.5, mode='linear')", "1,2,6"), ("Upsample(scale_factor=2, mode='bicubic')", I2), ("Upsample(size=3, mode='trilinear')", "1,1,2,2,2"),
    ("Unfold(2, stride=2)", I2), ("Fold([4, 4], 2, stride=2)", "1,8,4"), ("Flatten()", I2), ("Flatten(0, 2)", I2), ("Unflatten(1, [2, 2])", I2), ("Identity()", I2),
    ("ZeroPad2d(1)", I2), ("ZeroPad2d([1, 0, 2, 1])", I2), ("ConstantPad1d(2, 1.5)", "1,2,3"), ("ConstantPad2d([1, 2, 0, 1], 0.5)", I2), ("ConstantPad3d(1, 2.0)", "1,1,2,2,2"), ("ReflectionPad1d(2)", "1,2,4"), ("ReflectionPad2d([1, 2, 0, 1])", I2), ("ReflectionPad3d(1)", "1,1,2,2,2"),
    ("ReplicationPad1d([3, 1])", "1,2,4"), ("ReplicationPad2d(1)", I2), ("ReplicationPad3d(1)", "1,1,2,2,2"),
    ("BatchNorm1d(3)", "4,3", "train"), ("BatchNorm1d(3, affine=False)", "4,3,2", "train"), ("BatchNorm2d(4, eps=0.01, momentum=0.3)", I2, "train"), ("BatchNorm2d(4, track_running_stats=False)", I2, "train"), ("BatchNorm3d(2)", "2,2,2,2,2", "train"),
    ("InstanceNorm1d(3)", "2,3,4", "train"), ("InstanceNorm2d(4, affine=True)", I2, "train"), ("InstanceNorm2d(4, affine=True, track_running_stats=True, momentum=0.2)", I2, "train"), ("InstanceNorm3d(2, track_running_stats=True)", "2,2,2,2,2", "train"),
    ("LayerNorm(6)", I2), ("LayerNorm([5, 6], eps=0.01)", I2), ("LayerNorm(6, elementwise_affine=False)", I2), ("GroupNorm(2, 4)", I2), ("GroupNorm(4, 4, affine=False)", I2), ("LocalResponseNorm(3)", I2), ("LocalResponseNorm(2, alpha=0.5, beta=0.5, k=2.0)", I2),
    ("Dropout(0.3)", "2,3"), ("Dropout1d(0.3)", "2,3,4"), ("Dropout2d(0.3)", I2), ("Dropout3d(0.3)", "1,2,2,2,2"), ("AlphaDropout(0.3)", "2,3"),
    *[(f"{n}()", "3,5") for n in "ReLU ReLU6 LeakyReLU ELU SELU CELU GELU SiLU Mish Sigmoid LogSigmoid Tanh Softplus Softsign Hardtanh Hardsigmoid Hardswish Hardshrink Softshrink Tanhshrink GLU PReLU".split() if n != "GLU"],
    ("GLU()", "3,4"), ("GLU(0)", "4,3"), ("PReLU(4)", I2), ("LeakyReLU(0.2)", "3,5"), ("ELU(0.5)", "3,5"), ("CELU(2.0)", "3,5"), ("GELU('tanh')", "3,5"), ("Softplus(2.0, 1.0)", "3,5"), ("Hardtanh(-0.5, 0.7)", "3,5"), ("Hardshrink(0.3)", "3,5"), ("Softshrink(0.3)", "3,5"), ("Threshold(0.1, 2.0)", "3,5"),
    ("Softmax(1)", "3,5"), ("LogSoftmax(-1)", "3,5"), ("Softmin(0)", "3,5"), ("CosineSimilarity()", "3,5 3,5"), ("CosineSimilarity(0, 0.1)", "3,5 3,5"), ("PairwiseDistance()", "3,5 3,5"), ("PairwiseDistance(1.0, keepdim=True)", "3,5 3,5"),
    ("MultiheadAttention(4, 2)", "3,2,4 5,2,4 5,2,4"), ("MultiheadAttention(4, 2, bias=False, batch_first=True)", "2,3,4 2,5,4 2,5,4"),
    ("TransformerEncoderLayer(4, 2, 8)", "3,2,4"), ("TransformerEncoderLayer(4, 2, 8, batch_first=True, norm_first=True, activation='gelu')", "2,3,4"), ("TransformerDecoderLayer(4, 2, 8)", "3,2,4 5,2,4"), ("TransformerDecoderLayer(4, 2, 8, batch_first=True, norm_first=True, activation='gelu', layer_norm_eps=0.01)", "2,3,4 2,5,4"),
    ("RNNCell(3, 2)", "4,3 4,2"), ("RNNCell(3, 2, nonlinearity='relu', bias=False)", "4,3 4,2"), ("GRUCell(3, 2)", "4,3 4,2"),
    ("Sequential(Linear(3, 4), ReLU(), Linear(4, 2, bias=False))", "2,3"),
]


def ramp(text):
    shape = [int(n) for n in text.split(",")]
    return torch.cos(torch.arange(torch.tensor(shape).prod(), dtype=torch.float32)).reshape(shape)


def numbers(tensor):
    return [round(float(x), 6) for x in tensor.flatten()]


def entry(row):
    text, shapes, *train = row
    module = eval(re.sub(r"\b([A-Z]\w*)\(", r"nn.\1(", text))
    with torch.no_grad():
        for i, p in enumerate(module.parameters()):
            p.copy_(0.3 * torch.sin(torch.arange(p.numel(), dtype=torch.float32) + i).reshape(p.shape))
    state = [[name, list(t.shape)] for name, t in module.state_dict().items()]
    inputs = [ramp(s) for s in shapes.split(" ")]
    result = {"layer": text.replace("=", ": ").replace("'", '"').replace("True", "true").replace("False", "false"), "inputs": [list(x.shape) for x in inputs], "state": state}

    def outputs():
        with torch.no_grad():
            found = module(*inputs)
        return [{"shape": list(t.shape), "data": numbers(t)} for t in (found if isinstance(found, tuple) else (found,))]

    module.train(bool(train))
    result["outputs"] = outputs()
    if train:
        result["buffers"] = {name: numbers(t) for name, t in module.named_buffers()}
    result["training"] = bool(train)
    return result


rows = [entry(row) for row in LAYERS]
Path(__file__).with_name("layers.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
