"""What needs torch: python3 peers.py DIR check | times | steps | compiled [--from N] [--emulated]

check: every workload against torch in float64. times: the rates that a copy and products of torch's reach on the card, and calls of workloads in a CUDA graph,
replayed between events, of tdsl and of torch eager, as ratios. steps: training steps beside torch's, eager and captured in a graph, times and memory.
compiled: steps and workloads beside torch.compile. With --emulated steps are timed by the clock on the wall, to test the script.
"""

import argparse
import os

import torch

import report
from abi import Model
from steps import Steps
from timing import seconds
from training import TRAINING
from workloads import PRECISIONS, WORKLOADS, is_run_in, work_of

gelu = torch.nn.functional.gelu


def attention(q, k, v, is_causal=False):
    """Heads are torch's second axis. Versions before 2.0, of which only the results are of use, have no function for it."""
    if not hasattr(torch.nn.functional, "scaled_dot_product_attention"):
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        hidden = torch.ones_like(scores, dtype=torch.bool).triu(1) if is_causal else torch.zeros_like(scores, dtype=torch.bool)
        return torch.softmax(scores.masked_fill(hidden, float("-inf")), -1) @ v
    return torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=is_causal)[0]


def attention_gradient(q, k, v, g):
    q, k, v = [t.detach().requires_grad_() for t in (q, k, v)]
    return torch.autograd.grad(attention(q, k, v), (q, k, v), g)


def recurrence(w, xs):
    h = torch.zeros_like(xs[0])
    for x in xs:
        h = torch.tanh(0.1 * (h @ w) + x)
    return h


PEERS = {
    "matmul": lambda a, b: a @ b,
    "linear_gelu": lambda x, w, b: gelu(x @ w.t() + b),
    "linear_bf16": lambda x, w: x @ w.t(),
    "matmul_bf16": lambda a, b: a @ b,
    "gelu_mul": lambda x, y: gelu(x) * y,
    "row_softmax": lambda x: torch.softmax(x, 1),
    "softmax_gradient": lambda y, g: y * (g - (y * g).sum(1, keepdim=True)),
    "column_sum": lambda x: x.sum(0),
    "total": lambda x: x.sum(),
    "convolution": lambda x, w: torch.nn.functional.conv2d(x, w, padding=1),
    # Errors are not looked for: the host would have to wait.
    "solve_64": lambda a, b: torch.linalg.solve_ex(a + 64 * torch.eye(64, dtype=a.dtype, device=a.device), b)[0],
    "recurrence": recurrence,
    "attention": attention,
    "attention_bf16": attention,
    "attention_causal": lambda q, k, v: attention(q, k, v, True),
    "attention_gradient": attention_gradient,
}
DTYPES = {"bool": torch.bool, "u8": torch.uint8, "i8": torch.int8, "i16": torch.int16, "i32": torch.int32, "i64": torch.int64, "f16": torch.float16,
          "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64}


class Bench:
    def __init__(self, directory, device):
        self.directory, self.device, self.models = directory, device, {}

    def prepare(self, work, precision, sizes):
        """A call, its inputs and its outputs as tensors of torch, outputs full of NaN."""
        if precision not in self.models:
            self.models[precision] = Model(f"{self.directory}/{precision}/libworkloads.so")
        # A sum of numbers around 0 would have a large relative error.
        inputs = [(torch.randn([sizes.get(s, s) for s in shape], device=self.device) + 0.5).to(DTYPES[work.dtype]) for shape in work.shapes]
        outputs = []

        def allocate(dtype, shape):
            outputs.append(torch.full(shape, float("nan"), dtype=DTYPES[dtype], device=self.device))
            return outputs[-1].data_ptr()

        return self.models[precision].prepare(work.name, sizes, [t.data_ptr() for t in inputs], allocate), inputs, outputs

    def stream(self):
        return torch.cuda.current_stream().cuda_stream if self.device == "cuda" else 0

    def check(self, work, precision):
        worst = 0
        for sizes in work.checks:
            call, inputs, outputs = self.prepare(work, precision, sizes)
            call(self.stream())
            call.model.sync(self.stream())
            want = PEERS[work.name](*[t.double() for t in inputs])
            for got, each in zip(outputs, want if isinstance(want, tuple) else [want]):
                error = ((got.double() - each).norm() / each.norm()).item()
                worst = max(worst, error if error == error else float("inf"))
            call.model.free(call.keep[1])
        limit = PRECISIONS["bf16" if work.dtype == "bf16" else precision]
        if not worst < limit:
            raise report.Mismatch(f"relative error {worst:.1e}, allowed {limit:.0e}")
        return f"relative error {worst:.1e}"

    def time(self, work, precision, sizes, is_compiled):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        call, inputs, outputs = self.prepare(work, precision, sizes)
        own = seconds(lambda: call(self.stream()))
        given = [t.bfloat16() for t in inputs] if precision == "bf16" else inputs
        peer = torch.compile(PEERS[work.name]) if is_compiled else PEERS[work.name]
        theirs = seconds(lambda: peer(*given))
        moved = sum(t.numel() * t.element_size() for t in inputs + outputs)
        unit = {"bytes": "B/s", "flops": "FLOP/s", "waiting": None}[work.unit]
        rated = {} if unit is None else dict(rate=work_of(work, sizes, moved) / own, unit=unit)
        report.row(name=work.name, precision=precision, sizes=sizes, seconds=own, peer="compile" if is_compiled else "eager", peer_seconds=theirs, **rated)
        call.model.free(call.keep[1])
        rate = f" {rated['rate'] / 1e12:.2f} T{unit}," if rated else ""
        return f"{own * 1e6:.1f} us,{rate} torch / tdsl {theirs / own:.2f}"


def time_copy():
    block = torch.empty(1 << 28, dtype=torch.float32, device="cuda")
    other = torch.empty_like(block)
    rate = 2 * block.numel() * 4 / seconds(lambda: other.copy_(block))
    report.row(name="copy", rate=rate, unit="B/s", ceiling="bytes")
    return f"{rate / 1e12:.2f} TB/s"


def time_products(kind):
    torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
    a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16 if kind == "bf16" else torch.float32)
    b = torch.empty_like(a)
    rate = 2 * 8192**3 / seconds(lambda: torch.matmul(a, a, out=b))
    report.row(name=f"products in {kind}", rate=rate, unit="FLOP/s", ceiling=kind)
    return f"{rate / 1e12:.0f} TFLOP/s"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("part", choices=["check", "times", "steps", "compiled"])
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--emulated", action="store_true")
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    bench = Bench(options.directory, "cpu" if options.emulated else "cuda")
    runs = [(work, precision) for precision in PRECISIONS for work in WORKLOADS if is_run_in(precision, work)]
    timed = [
        (f"{work.name} {precision} {' '.join(f'{k}={v}' for k, v in sizes.items())}",
         lambda work=work, precision=precision, sizes=sizes: bench.time(work, precision, sizes, options.part == "compiled"))
        for work, precision in runs for sizes in work.times
    ]
    trained = [(precision, name) for precision in PRECISIONS for name in TRAINING if os.path.isdir(f"{options.directory}/training/{precision}/{name}")]
    steps = Steps(options.directory, bench.device)
    items = {
        "check": [(f"{work.name} {precision}", lambda work=work, precision=precision: bench.check(work, precision)) for work, precision in runs],
        "times": [("copy", time_copy), *[(f"products in {kind}", lambda kind=kind: time_products(kind)) for kind in PRECISIONS], *timed],
        "steps": steps.items(trained, ["eager"] if options.emulated else ["eager", "captured"]),
        # torch.compile would write out every trip.
        "compiled": [*steps.items(trained, ["compile"]), *[each for each in timed if not each[0].startswith("recurrence")]],
    }
    report.run_all(items[options.part], options.first)


if __name__ == "__main__":
    main()
