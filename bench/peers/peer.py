"""The contestants PyTorch and NumPy: times what it is told in lines of JSON, and exports models as ONNX.

Usage: peer.py torch|numpy. The protocol is that of contestants/protocol.ts. Models are those of bench/models.
"""

import json
import os
import sys
import time

from networks import networks, optimizer_of, train

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
        return lambda: train(model, net, optimizer, x, y, torch)
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
