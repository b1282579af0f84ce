#!/usr/bin/env python3
"""Writes tests/reference/jacobian.json: Jacobians and Hessians of the functions of jacobian.td, by PyTorch in float64.

Run with a Python that has PyTorch; the result is committed, so that the tests need none.
"""

import json
import pathlib

import torch
from torch.autograd.functional import hessian, hvp, jacobian

torch.manual_seed(3)


def scores(x, w):
    return torch.softmax(w @ x, 0)


def pairs(x, w):
    return torch.tanh(w * x) * w.sum(1, keepdim=True) ** 2


def energy(x, w):
    return torch.logsumexp(torch.sin(w @ x) * (w @ x), 0)


def steps(x, w):
    h = x
    for _ in range(12):
        h = h - 0.1 * (w.T @ (w @ h)) / (1 + h * h)
    return h


def choice(x, w):
    h = x
    for _ in range(30):
        if (h * h).sum() >= 40:
            break
        h = 1.3 * h + 0.1 * w[0]
    return h.prod() if h.sum() > 0 else (h ** 3).sum()


def flat(value):
    if isinstance(value, tuple):
        return [number for item in value for number in flat(item)]
    return value.reshape(-1).tolist()


x, w = torch.randn(4, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
vector = (2 * x, w * w)
written = {
    "x": x.tolist(),
    "w": w.reshape(-1).tolist(),
    "jacobians": [flat(jacobian(f, (x, w))) for f in (scores, pairs, steps)],
    "hessians": [flat(hessian(f, (x, w))) for f in (energy, choice)],
    "products": [flat(hvp(f, (x, w), vector)[1]) for f in (energy, choice)],
}
path = pathlib.Path(__file__).with_name("jacobian.json")
path.write_text(json.dumps(written) + "\n")
