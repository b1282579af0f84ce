"""Writes tests/samples/print/recurrent.json: recurrent modules of PyTorch with their text, their parameters by name, an input and its output.

    python3 tests/reference/recurrent_reference.py
"""

import json
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(1)
CASES = {
    "LSTM(3, 2, num_layers: 2, bidirectional: true)": nn.LSTM(3, 2, num_layers=2, bidirectional=True),
    "LSTM(3, 2, batch_first: true, dropout: 0.0, bias: false)": nn.LSTM(3, 2, batch_first=True, bias=False),
    "GRU(3, 2, num_layers: 2)": nn.GRU(3, 2, num_layers=2),
    "RNN(3, 2, nonlinearity: \"relu\", bidirectional: true)": nn.RNN(3, 2, nonlinearity="relu", bidirectional=True),
}
CELLS = {
    "RNNCell(3, 2)": nn.RNNCell(3, 2),
    "RNNCell(3, 2, nonlinearity: \"relu\", bias: false)": nn.RNNCell(3, 2, nonlinearity="relu", bias=False),
    "GRUCell(3, 2)": nn.GRUCell(3, 2),
}


def tensor(value):
    return {"shape": list(value.shape), "data": value.detach().flatten().tolist()}


def case(layer, module, inputs):
    output = module(*inputs)
    return {
        "layer": layer,
        "text": str(module),
        "parameters": {name: tensor(value) for name, value in module.named_parameters()},
        "inputs": [tensor(value) for value in inputs],
        "output": tensor(output[0] if isinstance(output, tuple) else output),
    }


x = torch.randn(4, 2, 3)
cases = [case(layer, module, (x,)) for layer, module in CASES.items()]
cases += [case(layer, module, (x[0], torch.randn(2, 2))) for layer, module in CELLS.items()]
path = Path(__file__).parent.parent / "samples" / "print" / "recurrent.json"
path.write_text(json.dumps(cases) + "\n")
