"""Evaluates the expressions of the reference cases with PyTorch, so that a case is written once, in the notation that tdsl reads.

`evaluate(expr, inputs)` gives the outputs. The translation to Python is by tokens: in parentheses `name:` is a keyword argument, in brackets
`:` belongs to a slice, and `true false none inf nan && || !` have other names. Functions are PyTorch's; those that have another signature
there are defined in `functions.py`.
"""
import re

import torch

from functions import names

TOKEN = re.compile(r'\s*("[^"]*"|\d+\.\d*(?:[eE][-+]?\d+)?|\d+(?:[eE][-+]?\d+)?|[A-Za-z_]\w*|&&|\|\||\*\*|//|[<>=!]=|.)')
WORDS = {"true": "True", "false": "False", "none": "None", "&&": "&", "||": "|", "!": "~"}


def translate(expr):
    tokens, at = [], 0
    while at < len(expr.rstrip()):
        match = TOKEN.match(expr, at)
        tokens.append(match.group(1))
        at = match.end()
    out, brackets = [], []
    for i, token in enumerate(tokens):
        if token in "([":
            # A bracket after a name or a closing bracket is a call or an index, any other a tuple or a list.
            before = tokens[i - 1] if i else ""
            applied = re.match(r"[A-Za-z_0-9)\]]", before[-1:] or " ") is not None
            brackets.append(("call" if token == "(" else "index") if applied else "literal")
        elif token in ")]":
            brackets.pop()
        if token == ":" and brackets[-1] == "call":
            out.append("=")
        else:
            out.append(WORDS.get(token, token))
        if i + 1 < len(tokens) and re.match(r"\w", token[-1]) and re.match(r"\w", tokens[i + 1][0]):
            out.append(" ")
    return "".join(out)


def evaluate(expr, inputs):
    result = eval(translate(expr), {**names, **inputs})
    results = list(result) if isinstance(result, (tuple, list)) else [result]
    return [r if isinstance(r, torch.Tensor) else torch.tensor(r) for r in results]
