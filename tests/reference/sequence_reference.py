"""The layers for sequences in PyTorch, with parameters that a formula gives: element k of parameter i is 0.3 sin(k + i). Writes the outputs.

Run by hand: python3 sequence_reference.py > sequence_reference.json
"""
import json

import torch
from torch import nn


def fill(net):
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(0.3 * torch.sin(torch.arange(p.numel(), dtype=torch.float32) + i).reshape(p.shape))
    return net


def ramp(*shape):
    n = 1
    for size in shape:
        n *= size
    return torch.cos(torch.arange(n, dtype=torch.float32)).reshape(shape)


def numbers(*tensors):
    return [[round(float(x), 6) for x in t.flatten()] for t in tensors]


torch.manual_seed(0)
results = {}
y, (h, c) = fill(nn.LSTM(3, 4, num_layers=2, bidirectional=True))(ramp(5, 2, 3))
results["lstm"] = numbers(y, h, c)
results["gru"] = numbers(*fill(nn.GRU(3, 4, num_layers=2, batch_first=True))(ramp(2, 5, 3), ramp(2, 2, 4)))
results["rnn"] = numbers(*fill(nn.RNN(3, 4, nonlinearity="relu", bidirectional=True))(ramp(5, 2, 3)))
results["cell"] = numbers(*fill(nn.LSTMCell(3, 4))(ramp(2, 3), (ramp(2, 4), ramp(2, 4))))
results["attention"] = numbers(*fill(nn.MultiheadAttention(8, 2))(ramp(5, 2, 8), ramp(6, 2, 8), ramp(6, 2, 8)))
mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), diagonal=1)
for name, options in {"block": {}, "block_first": {"norm_first": True, "activation": "gelu"}}.items():
    layer = fill(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, **options))
    results[name] = numbers(layer(ramp(2, 5, 8), src_mask=mask))
print(json.dumps(results))
