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
    "MultiheadAttention(4, 2)",
    "MultiheadAttention(4, 2, bias=False)",
    "TransformerEncoderLayer(4, 2, 8)",
    "TransformerEncoderLayer(4, 2, dropout=0.2, activation='gelu', norm_first=True)",
    "TransformerDecoderLayer(4, 2, 8)",
    "AdaptiveAvgPool1d(2)",
    "AdaptiveAvgPool3d(2)",
    "AdaptiveMaxPool1d(2)",
    "AdaptiveMaxPool2d([2, 3])",
    "AdaptiveMaxPool3d(2)",
    "AlphaDropout(0.3)",
    "Dropout1d(0.3)",
    "Dropout3d(0.3)",
    "ConstantPad1d(1, 0.5)",
    "ConstantPad2d([1, 2, 3, 4], 0.5)",
    "ConstantPad3d(1, 2.0)",
    "ConvTranspose3d(2, 4, 3)",
    "CosineSimilarity()",
    "CosineSimilarity(dim=1, eps=1e-6)",
    "EmbeddingBag(10, 3)",
    "EmbeddingBag(10, 3, mode='sum')",
    "Fold([4, 5], 2)",
    "Unfold(2)",
    "Unfold([2, 3], stride=2)",
    "GRU(3, 4)",
    "GRU(3, 4, 2, batch_first=True)",
    "LSTM(3, 4, num_layers=2, dropout=0.5, bidirectional=True)",
    "RNN(3, 4)",
    "RNN(3, 4, nonlinearity='relu')",
    "GRUCell(3, 4)",
    "RNNCell(3, 4)",
    "LSTMCell(3, 4, bias=False)",
    "Hardshrink()",
    "Hardshrink(0.3)",
    "InstanceNorm1d(3)",
    "InstanceNorm2d(3, affine=True)",
    "LPPool2d(1.2, 3, stride=2)",
    "LocalResponseNorm(2)",
    "MaxUnpool1d(2)",
    "MaxUnpool2d(2, stride=3)",
    "MaxUnpool3d(2)",
    "PairwiseDistance()",
    "PairwiseDistance(p=1.0)",
    "PixelShuffle(3)",
    "PixelUnshuffle(2)",
    "ReflectionPad1d(2)",
    "ReflectionPad2d([1, 2, 1, 0])",
    "ReplicationPad1d(1)",
    "ReplicationPad2d(1)",
    "ReplicationPad3d(1)",
    "Softmin(dim=1)",
    "Softshrink()",
    "Softshrink(0.3)",
    "Tanhshrink()",
    "Threshold(0.1, 20.0)",
    "Unflatten(1, [2, 3])",
    "Upsample(scale_factor=2)",
    "Upsample(scale_factor=2.0, mode='bilinear')",
    "Upsample(size=[4, 5], mode='nearest')",
    "ZeroPad2d(2)",
    "ZeroPad2d([1, 1, 2, 0])",
    "LPPool1d(2.0, 3)",
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
