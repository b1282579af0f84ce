"""Losses of small versions of the models of examples/text in their first steps of training, by torch.

Writes text_reference.json beside itself: /usr/bin/python3 tests/examples/text_reference.py
"""

import json
import math
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

BATCH, LENGTH, VOCABULARY = 3, 4, 7


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(x).chunk(3, -1)
        )
        scores = q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)
        hidden = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
        mixed = scores.masked_fill(hidden, -math.inf).softmax(-1) @ v
        return self.proj(mixed.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        h = x + self.attention(self.norm1(x))
        return h + self.fc2(F.gelu(self.fc1(self.norm2(h))))


class GPT(nn.Module):
    def __init__(self, vocabulary, context, width, heads, layers):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, x):
        h = self.tokens(x) + self.positions(torch.arange(x.shape[1]))
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


class CharLSTM(nn.Module):
    """torch's cell under the names of ours, without the second bias."""

    def __init__(self, vocabulary, width, hidden):
        super().__init__()
        self.hidden = hidden
        self.tokens = nn.Embedding(vocabulary, width)
        self.memory = nn.ModuleDict(
            {"from_input": nn.Linear(width, 4 * hidden), "from_state": nn.Linear(hidden, 4 * hidden, bias=False)}
        )
        self.head = nn.Linear(hidden, vocabulary)

    def forward(self, x):
        h = c = torch.zeros(x.shape[0], self.hidden)
        outputs = []
        for character in self.tokens(x).unbind(1):
            h, c = torch._VF.lstm_cell(
                character,
                (h, c),
                self.memory["from_input"].weight,
                self.memory["from_state"].weight,
                self.memory["from_input"].bias,
                torch.zeros(4 * self.hidden),
            )
            outputs.append(h)
        return self.head(torch.stack(outputs, 1))


def spread(count, stream):
    """Numbers in [-1/2, 1/2) that any language makes alike."""
    i = torch.arange(count, dtype=torch.int64)
    return ((i * 7919 + stream * 104729 + (i * i) % 65537) % 65537).double() / 65537 - 0.5


def train(model, optimizer):
    """The parameters in the order of their streams, with what is added to them, and the losses of ten steps."""
    parameters = []
    with torch.no_grad():
        for stream, (path, parameter) in enumerate(model.named_parameters()):
            offset = 1 if "norm" in path and path.endswith("weight") else 0
            parameter.copy_((offset + spread(parameter.numel(), stream)).reshape(parameter.shape))
            parameters.append({"path": path, "shape": list(parameter.shape), "offset": offset})
    text = torch.tensor([(3 + 5 * i + i * i) % VOCABULARY for i in range(BATCH * (LENGTH + 1))])
    pieces = text.reshape(BATCH, LENGTH + 1)
    x, y = pieces[:, :-1], pieces[:, 1:]
    losses = []
    for _ in range(10):
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return {
        "x": x.flatten().tolist(),
        "y": y.flatten().tolist(),
        "parameters": parameters,
        "losses": losses,
    }


def main():
    gpt = GPT(VOCABULARY, LENGTH, 8, 2, 2)
    lstm = CharLSTM(VOCABULARY, 4, 6)
    reference = {
        "gpt": train(gpt, torch.optim.AdamW(gpt.parameters(), lr=1e-3, weight_decay=0.1)),
        "char_lstm": train(lstm, torch.optim.Adam(lstm.parameters(), lr=2e-3)),
    }
    file = pathlib.Path(__file__).with_suffix(".json")
    file.write_text(json.dumps(reference) + "\n")


main()
