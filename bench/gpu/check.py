"""Checks and times models for GPUs on a machine that has one, with Python and torch and without Node.

    python3 check.py DIR [--emulated] [--sanitize] [--no-times] [--out results.json]

DIR holds what `npm run bench-gpu-build -- DIR` made. Correctness first: the instructions of kernels against the emulator (wrappers.py), the reference
cases where they were built, every workload against torch in float64, outputs filled with NaN before, a new seed each time; with --sanitize all that again
under compute-sanitizer's memcheck and racecheck. Then times: 20 calls in a CUDA graph, replayed 15 times between events, the median; the peers are torch
eager and torch.compile, captured alike; the ceilings are a copy, and products of torch's in f32, tf32 and bf16. With --emulated the libraries run on the
CPU and nothing is timed: it tests this script.
"""

import argparse
import ctypes
import glob
import json
import math
import os
import shutil
import statistics
import subprocess
import sys

import torch

import wrappers


class Tensor(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("dtype", ctypes.c_uint32), ("rank", ctypes.c_uint32), ("device", ctypes.c_uint32),
        ("data", ctypes.c_void_p), ("bytes", ctypes.c_uint64), ("shape", ctypes.c_int64 * 8),
    ]


class Symbol(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("name", ctypes.c_char_p), ("min", ctypes.c_int64), ("max", ctypes.c_int64)]


class Spec(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("dtype", ctypes.c_uint32), ("role", ctypes.c_uint32), ("rank", ctypes.c_uint32),
        ("dims", ctypes.c_int64 * 8), ("name", ctypes.c_char_p),
    ]


class Entry(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("name", ctypes.c_char_p), ("n_args", ctypes.c_uint32),
        ("n_symbols", ctypes.c_uint32), ("args", ctypes.POINTER(Spec)), ("symbols", ctypes.POINTER(Symbol)),
    ]


class Info(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("abi_version", ctypes.c_uint32), ("device", ctypes.c_uint32), ("flags", ctypes.c_uint32),
        ("model_name", ctypes.c_char_p), ("compiler", ctypes.c_char_p), ("source_hash", ctypes.c_char_p), ("cpu_features", ctypes.c_char_p),
        ("gpu_archs", ctypes.c_char_p), ("n_entries", ctypes.c_uint32), ("n_state", ctypes.c_uint32), ("entries", ctypes.POINTER(Entry)),
    ]


DTYPES = {1: torch.bool, 2: torch.uint8, 3: torch.int8, 4: torch.int16, 5: torch.int32, 6: torch.int64, 7: torch.float16, 8: torch.bfloat16,
          9: torch.float32, 10: torch.float64}
OUT, CUDA = 2, 2


class Model:
    """A library with the interface of tdsl_model.h."""

    def __init__(self, file, device):
        self.device = device
        self.library = ctypes.CDLL(file)
        self.library.tdsl_query.restype = ctypes.POINTER(Info)
        self.library.tdsl_error.restype = ctypes.c_uint64
        self.info = self.library.tdsl_query(1).contents
        self.entries = {self.info.entries[i].name.decode(): i for i in range(self.info.n_entries)}
        self.instance = ctypes.c_void_p()
        self.workspace = torch.empty(0, dtype=torch.uint8, device=device)
        self.check(self.library.tdsl_create(None, ctypes.byref(self.instance)))

    def check(self, status):
        if status == 0:
            return
        text = ctypes.create_string_buffer(1000)
        self.library.tdsl_error(None, text, ctypes.c_uint64(1000))
        raise RuntimeError(f"status {status}: {text.value.decode()}")

    def prepare(self, name, symbols, inputs):
        """Everything that a call needs; outputs are filled with NaN where that exists."""
        index = self.entries[name]
        entry = self.info.entries[index]
        names = [entry.symbols[k].name.decode() for k in range(entry.n_symbols)]
        values = (ctypes.c_int64 * max(1, len(names)))(*[symbols[n] for n in names])
        tensors = (Tensor * entry.n_args)()
        for tensor in tensors:
            tensor.size = ctypes.sizeof(Tensor)
        self.check(self.library.tdsl_shape(self.instance, index, values, tensors, entry.n_args))
        outputs, given = [], list(inputs)
        for k, tensor in enumerate(tensors):
            if entry.args[k].role == OUT:
                dtype = DTYPES[tensor.dtype]
                data = torch.empty(list(tensor.shape[: tensor.rank]), dtype=dtype, device=self.device)
                data.fill_(math.nan if dtype.is_floating_point else 0)
                outputs.append(data)
            else:
                data = given.pop(0)
                assert data.is_contiguous() and data.dtype == DTYPES[tensor.dtype], entry.args[k].name
            tensor.data = data.data_ptr()
        needed = ctypes.c_uint64()
        self.check(self.library.tdsl_workspace(self.instance, index, values, ctypes.byref(needed)))
        if needed.value + 64 > self.workspace.numel():
            self.workspace = torch.empty(needed.value + 64, dtype=torch.uint8, device=self.device)
        place = (self.workspace.data_ptr() + 63) // 64 * 64
        keep = (values, tensors, inputs, self.workspace)

        def call():
            stream = torch.cuda.current_stream().cuda_stream if self.device == "cuda" else 0
            self.check(self.library.tdsl_run(self.instance, index, values, tensors, entry.n_args, ctypes.c_void_p(place),
                                             ctypes.c_uint64(needed.value), ctypes.c_void_p(stream or None)))
            return keep

        return call, outputs

    def sync(self):
        stream = torch.cuda.current_stream().cuda_stream if self.device == "cuda" else 0
        self.check(self.library.tdsl_sync(self.instance, ctypes.c_void_p(stream or None)))


def gelu(x):
    return torch.nn.functional.gelu(x)


# Name, torch's side, shapes of the inputs by symbols, sizes for a check and for a time, floating point operations or bytes.
WORKLOADS = [
    ("matmul", lambda a, b: a @ b, ["MK", "KN"], dict(M=200, K=150, N=130), [dict(M=n, K=n, N=n) for n in (1024, 4096, 8192)], "flops"),
    ("linear_gelu", lambda x, w, b: gelu(x @ w.t() + b), ["MK", "NK", "N"], dict(M=70, K=90, N=100), [dict(M=4096, K=1024, N=4096)], "flops"),
    ("linear_bf16", lambda x, w: x @ w.t(), ["MK", "NK"], dict(M=300, K=104, N=600), [dict(M=n, K=n, N=n) for n in (4096, 8192)], "flops"),
    ("gelu_mul", lambda x, y: gelu(x) * y, ["MN", "MN"], dict(M=33, N=37), [dict(M=8192, N=8192)], "bytes"),
    ("row_softmax", lambda x: torch.softmax(x, 1), ["MN"], dict(M=9, N=300), [dict(M=16384, N=1024), dict(M=4096, N=16384)], "bytes"),
    ("column_sum", lambda x: x.sum(0), ["MN"], dict(M=70, N=50), [dict(M=16384, N=1024)], "bytes"),
    ("total", lambda x: x.sum(), ["MN"], dict(M=70, N=50), [dict(M=8192, N=8192)], "bytes"),
    ("convolution", lambda x, w: torch.nn.functional.conv2d(x, w, padding=1), [("B", "C", 32, 32), ("O", "C", 3, 3)], dict(B=3, C=5, O=30),
     [dict(B=64, C=64, O=64)], "flops"),
]
# Workloads whose operands are bf16; the others are f32.
HALF = ["linear_bf16"]
TOLERANCES = {"f32": 1e-5, "tf32": 1e-3, "bf16": 1e-2}


def make_inputs(name, shapes, sizes, device):
    dtype = torch.bfloat16 if name in HALF else torch.float32
    return [torch.randn([sizes.get(s, s) for s in shape], device=device, dtype=dtype) for shape in shapes]


def is_run_in(precision, name):
    return precision == "bf16" or name not in HALF


def work_of(name, sizes, inputs, outputs, unit):
    if unit == "bytes":
        return sum(t.numel() * t.element_size() for t in inputs + outputs)
    if name == "convolution":
        return 2 * sizes["B"] * sizes["O"] * sizes["C"] * 32 * 32 * 9
    return 2 * sizes["M"] * sizes["K"] * sizes["N"]


def check(models, device, failures):
    for precision, model in models.items():
        for name, peer, shapes, sizes, _, _ in WORKLOADS:
            if not is_run_in(precision, name):
                continue
            inputs = make_inputs(name, shapes, sizes, device)
            call, outputs = model.prepare(name, sizes, inputs)
            call()
            model.sync()
            want = peer(*[t.double() for t in inputs])
            error = ((outputs[0].double() - want).norm() / want.norm()).item()
            good = error < TOLERANCES[precision]
            failures += [] if good else [f"{name} in {precision}: {error}"]
            print(f"{'ok  ' if good else 'FAIL'} {name:12} {precision:5} relative error {error:.1e}", flush=True)


NAMES = {"bool": torch.bool, "u8": torch.uint8, "i8": torch.int8, "i16": torch.int16, "i32": torch.int32, "i64": torch.int64, "f16": torch.float16,
         "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64}


def case_tensor(spec, device):
    values = [float(v) if isinstance(v, str) else v for v in spec["data"]]
    return torch.tensor(values, dtype=NAMES[spec["dtype"]]).reshape(spec["shape"]).to(device)


def case_problem(model, case, device):
    """Why a reference case fails; None where it passes."""
    if case.get("init") is not None:
        call, _ = model.prepare(case["init"], {}, [torch.tensor([420, 0], device=device)])
        call()
    for step in case["calls"]:
        call, outputs = model.prepare(step["entry"], {}, [case_tensor(spec, device) for spec in step["inputs"]])
        call()
        model.sync()
        for k, spec in enumerate(step["wanted"]):
            if "data" not in spec:
                continue
            got, want = outputs[step["skip"] + k].cpu(), case_tensor(spec, "cpu")
            if got.shape != want.shape or got.dtype != want.dtype:
                return f"{step['entry']}: result {k} is {got.dtype}{list(got.shape)}, want {want.dtype}{list(want.shape)}"
            if step["zeroForNan"]:
                want = torch.where(want.isnan() & (got == 0), torch.zeros_like(want), want)
            limits = case.get("tolerance") if got.dtype.is_floating_point else None
            rtol, atol = (limits["rtol"], limits["atol"]) if limits else (0, 0)
            if not torch.allclose(got.double(), want.double(), rtol=rtol, atol=atol, equal_nan=True):
                return f"{step['entry']}: result {k} is {got.flatten()[:8].tolist()}, want {want.flatten()[:8].tolist()}"
    return None


def conform(directory, device, failures):
    """The reference cases, with the kernels' rounding of a card."""
    for file in sorted(glob.glob(f"{directory}/conformance/*/cases.json")):
        folder = os.path.dirname(file)
        group = os.path.basename(folder)
        model = Model(f"{folder}/lib{group}.so", device)
        with open(file) as stream:
            cases = json.load(stream)
        bad = 0
        for case in cases:
            try:
                problem = case_problem(model, case, device)
            except (RuntimeError, KeyError) as error:
                problem = str(error)
            if problem is not None:
                bad += 1
                failures.append(f"case {case['id']}: {problem}")
        print(f"{'ok  ' if bad == 0 else 'FAIL'} {group:12} {len(cases) - bad} of {len(cases)} reference cases", flush=True)


def sanitize(options, failures):
    """All checks once more, each access to memory looked at by NVIDIA's tool where it is installed."""
    tool = shutil.which("compute-sanitizer")
    if tool is None:
        print("skip compute-sanitizer: it is not installed")
        return
    for kind in ("memcheck", "racecheck"):
        command = [tool, "--tool", kind, "--error-exitcode", "9", sys.executable, os.path.abspath(__file__), options.directory, "--no-times"]
        done = subprocess.run(command, capture_output=True, text=True)
        good = done.returncode == 0
        failures += [] if good else [f"compute-sanitizer {kind}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}"]
        print(f"{'ok  ' if good else 'FAIL'} compute-sanitizer {kind}", flush=True)


def train(name, directory, device, failures, classes=10):
    """A training step: the loss falls on the same batch."""
    model = Model(f"{directory}/{name}/lib{name}.so", device)
    call, _ = model.prepare("init", {}, [torch.tensor([1, 0], device=device)])
    call()
    x = torch.rand([32, 784] if name == "mlp" else [32, 1, 28, 28], device=device)
    y = torch.randint(0, classes, [32], device=device)
    step, outputs = model.prepare("train_step", {"B": 32}, [x, y])
    losses = []
    for _ in range(4 if device == "cpu" else 30):
        step()
        model.sync()
        losses.append(outputs[0].item())
    good = all(map(math.isfinite, losses)) and losses[-1] < losses[0]
    failures += [] if good else [f"{name}: losses {losses}"]
    print(f"{'ok  ' if good else 'FAIL'} {name:12} loss {losses[0]:.4f} -> {losses[-1]:.4f}", flush=True)
    return step


def seconds(call, calls=20, replays=15):
    """The median time of a call, replayed from a graph."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(calls):
            call()
    times = []
    for _ in range(replays):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3 / calls)
    return statistics.median(times)


def time_all(models, steps):
    block = torch.empty(1 << 28, dtype=torch.float32, device="cuda")
    other = torch.empty_like(block)
    ceilings = {"bytes": 2 * block.numel() * 4 / seconds(lambda: other.copy_(block))}
    del block, other
    for kind in TOLERANCES:
        torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
        a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16 if kind == "bf16" else torch.float32)
        b = torch.empty_like(a)
        ceilings[kind] = 2 * 8192**3 / seconds(lambda: torch.matmul(a, a, out=b))
        del a, b
    print(f"ceilings: copy {ceilings['bytes'] / 1e12:.2f} TB/s, products " +
          ", ".join(f"{kind} {ceilings[kind] / 1e12:.0f}" for kind in TOLERANCES) + " TFLOP/s", flush=True)
    rows = []
    for precision, model in models.items():
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        for name, peer, shapes, _, all_sizes, unit in WORKLOADS:
            if not is_run_in(precision, name) or (precision != "f32" and unit != "flops"):
                continue
            for sizes in all_sizes:
                inputs = make_inputs(name, shapes, sizes, "cuda")
                call, outputs = model.prepare(name, sizes, inputs)
                own = seconds(call)
                given = [t.bfloat16() for t in inputs] if precision == "bf16" else inputs
                eager = seconds(lambda: peer(*given))
                compiled = torch.compile(peer)
                row = dict(name=name, precision=precision, sizes=sizes, seconds=own, eager=eager / own, compiled=seconds(lambda: compiled(*given)) / own,
                           of_ceiling=work_of(name, sizes, inputs, outputs, unit) / own / ceilings[precision if unit == "flops" else unit])
                rows.append(row)
                print(f"{name:12} {precision:5} {sizes} {own * 1e6:9.1f} us, {row['of_ceiling']:.2f} of the ceiling, "
                      f"eager/own {row['eager']:.2f}, compiled/own {row['compiled']:.2f}", flush=True)
    for name, step in steps.items():
        own = seconds(step)
        rows.append(dict(name=f"{name} training step", seconds=own))
        print(f"{name} training step of 32: {own * 1e6:.1f} us", flush=True)
    return dict(device=torch.cuda.get_device_name(), torch=torch.__version__, ceilings=ceilings, rows=rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--emulated", action="store_true")
    parser.add_argument("--sanitize", action="store_true")
    parser.add_argument("--no-times", action="store_true")
    parser.add_argument("--out")
    options = parser.parse_args()
    device = "cpu" if options.emulated else "cuda"
    if not options.emulated and not torch.cuda.is_available():
        sys.exit("no GPU: torch finds none")
    torch.manual_seed(torch.seed() % 2**31)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    failures = [] if options.emulated else wrappers.check(options.directory)
    conform(options.directory, device, failures)
    models = {p: Model(f"{options.directory}/{p}/libworkloads.so", device) for p in TOLERANCES}
    check(models, device, failures)
    steps = {name: train(name, options.directory, device, failures) for name in ("mlp", "lenet")}
    if options.sanitize:
        sanitize(options, failures)
    if not options.emulated and not options.no_times:
        results = time_all(models, steps)
        if options.out:
            with open(options.out, "w") as file:
                json.dump(results, file, indent=2)
    print(f"{len(failures)} failed")
    for failure in failures:
        print("  " + failure)
    sys.exit(1 if failures else 0)


main()
