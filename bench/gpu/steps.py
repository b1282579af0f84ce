"""Training steps beside torch: the same network and optimizer, eager, captured in a CUDA graph, and compiled.

Time is that of a step, and memory what a step needs with all that stays between steps. tdsl's step is replayed from a graph. Networks are those of
networks.py; with tf32 torch may use it too, with bf16 it runs under autocast. What is compiled of torch's step is the network, forwards and backwards; its optimizer
runs as it is.
"""

import statistics
import time

import torch

import report
from abi import FORMATS, Model, elements
from networks import networks, optimizer_of, train
from training import TRAINING, numbers, training_call
from timing import once, seconds


def seconds_of_calls(call, device, calls=20):
    """The median time of a call that cannot be in a graph: launches included, as a user of torch waits for them."""
    if device == "cpu":
        begun = time.perf_counter()
        call()
        return time.perf_counter() - begun
    for _ in range(3):
        call()

    def several():
        for _ in range(calls):
            call()

    return statistics.median(once(several) / calls for _ in range(7))


class Peer:
    """torch's step of a network, on the numbers that tdsl's step gets."""

    def __init__(self, name, precision, sizes, device, is_capturable=False):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        self.name, self.precision, self.device = name, precision, device
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated()
        dtypes = {"f32": torch.float32, "i64": torch.int64}
        self.x, self.y = [torch.tensor(values, dtype=dtypes[dtype], device=device).reshape(shape) for dtype, shape, values in numbers(name, sizes)]
        self.net = networks(torch)[name]().to(device).train()
        self.optimizer = optimizer_of(name, self.net.parameters(), torch, **({"capturable": True} if is_capturable else {}))

    def compile(self):
        self.net = torch.compile(self.net, mode="reduce-overhead")

    def step(self):
        with torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16"):
            return train(self.name, self.net, self.optimizer, self.x, self.y, torch)

    def bytes(self):
        return torch.cuda.max_memory_allocated() - self.before if self.device == "cuda" else None


def capture(peer):
    """A replay of a peer's step; three steps before it let torch choose its kernels and make its state."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            peer.step()
        stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        peer.step()
    return graph.replay


class Steps:
    def __init__(self, directory, device):
        self.directory, self.device, self.own = directory, device, {}

    def stream(self):
        return torch.cuda.current_stream().cuda_stream if self.device == "cuda" else 0

    def of_tdsl(self, name, precision, sizes):
        """Seconds and bytes, measured once."""
        at = (name, precision, *sizes.values())
        if at not in self.own:
            model = Model(f"{self.directory}/training/{precision}/{name}/lib{name}.so")
            call = training_call(model, name, sizes)
            run = lambda: call(self.stream())
            taken = seconds(run) if self.device == "cuda" else seconds_of_calls(run, "cpu")
            passed = sum(elements(shape) * FORMATS[dtype][0] for dtype, shape, _ in [*numbers(name, sizes), *call.outputs])
            self.own[at] = taken, model.state_bytes() + call.keep[0][1] + passed
            model.release(call)
            model.destroy()
        return self.own[at]

    def of_torch(self, name, precision, sizes, kind):
        """Seconds, and bytes where torch counts them: what a graph keeps is in a pool of its own."""
        peer = Peer(name, precision, sizes, self.device, is_capturable=kind == "captured")
        if kind == "captured":
            return seconds_of_calls(capture(peer), self.device), None
        if kind == "compile":
            peer.compile()
        return seconds_of_calls(peer.step, self.device), peer.bytes()

    def time(self, name, precision, sizes, kind):
        own, own_bytes = self.of_tdsl(name, precision, sizes)
        theirs, their_bytes = self.of_torch(name, precision, sizes, kind)
        report.row(name=f"{name} training step", precision=precision, sizes=sizes, seconds=own, bytes=own_bytes, peer=kind, peer_seconds=theirs,
                   peer_bytes=their_bytes)
        memory = f", memory torch / tdsl {their_bytes / own_bytes:.2f}" if their_bytes else ""
        return f"{own * 1e6:.1f} us, torch / tdsl {theirs / own:.2f}{memory}"

    def items(self, names, kinds):
        """What report.run_all runs: every step beside each kind of peer."""
        return [
            (f"{name} training step {precision} {' '.join(f'{k}={v}' for k, v in sizes.items())} beside {kind}",
             lambda name=name, precision=precision, sizes=sizes, kind=kind: self.time(name, precision, sizes, kind))
            for precision, name in names for sizes in TRAINING[name].times for kind in kinds
        ]
