"""The contestants PyTorch and NumPy: times what it is told in lines of JSON, and exports models as ONNX.

Usage: peer.py torch|numpy. The protocol is that of contestants/protocol.ts. Models are those of bench/models.
"""

import json
import os
import sys
import time

SAMPLE_SECONDS = 2e-4


def input_data(spec, numpy):
    """Any values in range: the time of these programs does not depend on them."""
    generator = numpy.random.default_rng(1)
    if spec["dtype"] == "f32":
        return generator.uniform(-1, 1, spec["shape"]).astype(numpy.float32)
    return generator.integers(0, spec["below"], spec["shape"])


def load_numpy(workload, _threads, _files):
    import numpy

    a, b = (input_data(spec, numpy) for spec in workload["inputs"])
    out = numpy.empty((a.shape[0], b.shape[1]), numpy.float32)
    return lambda: numpy.matmul(a, b, out=out)


def networks(torch):
    """The models by name."""
    nn = torch.nn
    functional = nn.functional

    class Mlp(nn.Module):
        def __init__(self, rate):
            super().__init__()
            self.fc1, self.fc2, self.drop = nn.Linear(784, 256), nn.Linear(256, 10), nn.Dropout(rate)

        def forward(self, x):
            return self.fc2(self.drop(torch.relu(self.fc1(x))))

    def lenet():
        return nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        )  # fmt: skip

    def vgg():
        return nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(4096, 256), nn.ReLU(), nn.Linear(256, 10),
        )  # fmt: skip

    class GptBlock(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def attend(self, x):
            batch, length, width = x.shape
            split = [
                part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
                for part in self.qkv(x).split(width, dim=2)
            ]
            query, key, value = split
            scores = query @ key.transpose(-2, -1) * (width // self.heads) ** -0.5
            future = torch.ones(length, length, dtype=torch.bool).triu(1)
            weights = torch.softmax(scores.masked_fill(future, float("-inf")), -1)
            return self.proj((weights @ value).transpose(1, 2).reshape(batch, length, width))

        def forward(self, x):
            x = x + self.attend(self.norm1(x))
            return x + self.narrow(functional.gelu(self.wide(self.norm2(x))))

    class Gpt(nn.Module):
        def __init__(self, vocabulary=65, context=64, width=128, heads=4, layers=4):
            super().__init__()
            self.token, self.place = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(GptBlock(width, heads) for _ in range(layers)))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

        def forward(self, x):
            return self.head(self.norm(self.blocks(self.token(x) + self.place(torch.arange(x.shape[1])))))

    class Lstm(nn.Module):
        def __init__(self, width=128):
            super().__init__()
            self.lstm, self.head = nn.LSTM(width, width), nn.Linear(width, width)

        def forward(self, x):
            return self.head(self.lstm(x)[0])

    class ResNetBlock(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
            self.short = nn.Identity()
            if stride != 1 or inputs != outputs:
                self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

        def forward(self, x):
            h = torch.relu(self.bn1(self.conv1(x)))
            return torch.relu(self.bn2(self.conv2(h)) + self.short(x))

    def resnet():
        widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
        blocks = [ResNetBlock(a, b, 1 if a == b else 2) for a, b in zip(widths, widths[1:])]
        return nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
            *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000),
        )  # fmt: skip

    return {
        "mlp": lambda: Mlp(0.2), "plain_mlp": lambda: Mlp(0.0), "lenet": lenet, "vgg": vgg,
        "gpt": Gpt, "lstm": Lstm, "resnet": resnet,
    }  # fmt: skip


def optimizer_of(model, parameters, torch):
    if model == "gpt":
        return torch.optim.AdamW(parameters, lr=1e-3)
    rate = {"mlp": 0.1, "plain_mlp": 0.1, "lstm": 0.1}.get(model, 0.05)
    return torch.optim.SGD(parameters, lr=rate, momentum=0.0 if model in ("plain_mlp", "lstm") else 0.9)


def functions(torch):
    """The programs without state, by name."""
    return {
        "matmul": lambda a, b: a @ b,
        "chain": lambda x: torch.tanh(2 * x + 1) * x - 0.5,
        "rows": lambda x: torch.softmax(x, 1),
    }


def load_torch(workload, threads, files):
    import numpy
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    inputs = [torch.from_numpy(input_data(spec, numpy)) for spec in workload["inputs"]]
    model, fn = workload["model"], workload["fn"]
    if fn == "step":
        net = networks(torch)[model]().train()
        optimizer = optimizer_of(model, net.parameters(), torch)
        x, y = inputs

        def step():
            optimizer.zero_grad()
            output = net(x)
            if model == "lstm":
                loss = torch.nn.functional.mse_loss(output, y)
            else:
                loss = torch.nn.functional.cross_entropy(output.reshape(-1, output.shape[-1]), y.reshape(-1))
            loss.backward()
            if model == "mlp":
                torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()

        return step
    if fn in functions(torch):
        work = functions(torch)[fn]
        module = type("Function", (torch.nn.Module,), {"forward": lambda _self, *args: work(*args)})()
    else:
        module = networks(torch)[model]().eval()
    if "export" in files:
        torch.onnx.export(module, tuple(inputs), files["export"], opset_version=16)

    def forward():
        with torch.inference_mode():
            return module(*inputs)

    return forward


def time_for(work, milliseconds, clock):
    now = time.process_time if clock == "cpu" else time.perf_counter

    def sample(count):
        start = now()
        for _ in range(count):
            work()
        return now() - start

    count = max(1, int(SAMPLE_SECONDS / max(sample(1), 1e-7)) + 1)
    samples = []
    end = time.perf_counter() + milliseconds / 1e3
    while time.perf_counter() < end or len(samples) < 3:
        samples.append(sample(count) / count * 1e3)
    return samples


def main():
    # What libraries print must not end up between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    library = sys.argv[1]
    work = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "load":
                load = load_torch if library == "torch" else load_numpy
                work = load(request["workload"], request["threads"], request["files"])
                work()
                answer = {"version": sys.modules[library].__version__}
            else:
                answer = {"milliseconds": time_for(work, request["milliseconds"], request["clock"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}".split("\n")[0]}
        print(json.dumps(answer), file=answers, flush=True)


main()
