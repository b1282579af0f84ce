"""What can be checked with Python alone: python3 plain.py DIR cases | workloads | training [--from N] [--record] [--short]

cases: the reference cases where they were built, results and gradients. workloads: every workload once, for compute-sanitizer to look at. training: the
losses of training steps, against those of the same program on the CPU; --record writes these.
"""

import argparse
import glob
import json
import math
import os
import random

import report
from abi import Model, decode, elements, encode
from training import TRAINING, training_call
from workloads import WORKLOADS, is_run_in, PRECISIONS


def numbers(spec):
    return [float(v) if isinstance(v, str) else v for v in spec["data"]]


def is_close(got, want, rtol, atol):
    if math.isnan(want) or math.isinf(want):
        return got == want or (math.isnan(got) and math.isnan(want))
    return abs(got - want) <= atol + rtol * abs(want)


def check_case(model, case):
    """Raises a mismatch where a reference case fails."""
    if case.get("init") is not None:
        seed = model.upload(encode("i64", [420, 0]))
        call = model.prepare(case["init"], {}, [seed])
        call()
        model.release(call, [seed])
    for step in case["calls"]:
        inputs = [model.upload(encode(spec["dtype"], numbers(spec))) for spec in step["inputs"]]
        call = model.prepare(step["entry"], {}, inputs)
        call()
        model.sync()
        for k, spec in enumerate(step["wanted"]):
            if "data" not in spec:
                continue
            dtype, shape, _ = call.outputs[step["skip"] + k]
            if (dtype, shape) != (spec["dtype"], spec["shape"]):
                raise report.Mismatch(f"{case['id']}, {step['entry']}: result {k} is {dtype}{shape}, want {spec['dtype']}{spec['shape']}")
            limits = case.get("tolerance") if dtype in ("f16", "bf16", "f32", "f64") else None
            rtol, atol = (limits["rtol"], limits["atol"]) if limits else (0, 0)
            got, want = call.result(step["skip"] + k), decode(dtype, encode(dtype, numbers(spec)))
            for at, (a, b) in enumerate(zip(got, want)):
                if not is_close(a, b, rtol, atol) and not (step["zeroForNan"] and math.isnan(b) and a == 0):
                    raise report.Mismatch(f"{case['id']}, {step['entry']}: element {at} of result {k} is {a}, want {b}")
        model.release(call, inputs)


def check_group(folder):
    with open(f"{folder}/cases.json") as stream:
        cases = json.load(stream)
    model = Model(f"{folder}/lib{os.path.basename(folder)}.so")
    bad = []
    for case in cases:
        try:
            check_case(model, case)
        except report.Mismatch as problem:
            bad.append(str(problem))
    if bad:
        raise report.Mismatch(f"{len(bad)} of {len(cases)} cases: " + "; ".join(bad))
    return f"{len(cases)} cases"


def run_workload(model, name, shapes, sizes, dtype):
    shapes = [[sizes.get(size, size) for size in shape] for shape in shapes]
    inputs = [model.upload(encode(dtype, [random.uniform(-1, 1) for _ in range(elements(shape))])) for shape in shapes]
    call = model.prepare(name, sizes, inputs)
    call()
    model.sync()
    if not all(map(math.isfinite, call.result(0))):
        raise report.Mismatch("there are elements that are no numbers")
    model.release(call, inputs)


def workload_items(directory):
    models = {}

    def item(precision, workload):
        def run():
            if precision not in models:
                models[precision] = Model(f"{directory}/{precision}/libworkloads.so")
            for sizes in workload.checks:
                run_workload(models[precision], workload.name, workload.shapes, sizes, workload.dtype)

        return f"{workload.name} {precision}", run

    return [item(precision, workload) for precision in PRECISIONS for workload in WORKLOADS if is_run_in(precision, workload)]


def losses_of(directory, name, steps):
    model = Model(f"{directory}/{name}/lib{name}.so")
    call = training_call(model, name, TRAINING[name].check)
    losses = []
    for _ in range(steps):
        call()
        model.sync()
        losses.append(call.result(0)[0])
    return losses


def check_training(directory, name, steps):
    with open(f"{directory}/{name}/losses.json") as stream:
        want = json.load(stream)[:steps]
    got = losses_of(directory, name, len(want))
    if not all(is_close(a, b, 1e-3, 1e-4) for a, b in zip(got, want)):
        raise report.Mismatch(f"losses {got}, on the CPU {want}")
    return f"loss {got[0]:.4f} -> {got[-1]:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("parts", nargs="+")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    directory = options.directory
    exact = f"{directory}/training/f32"
    trained = [name for name in TRAINING if os.path.isdir(f"{exact}/{name}")]
    if options.record:
        for name in trained:
            with open(f"{exact}/{name}/losses.json", "w") as stream:
                json.dump(losses_of(exact, name, 5), stream)
        return
    folders = sorted(map(os.path.dirname, glob.glob(f"{directory}/conformance/*/cases.json")))
    items = {
        "cases": [(os.path.basename(folder), lambda folder=folder: check_group(folder)) for folder in folders],
        "workloads": workload_items(directory),
        "training": [(f"{name} training", lambda name=name: check_training(exact, name, 2 if options.short else 5)) for name in trained],
    }
    report.run_all([item for part in options.parts for item in items[part]], options.first)


if __name__ == "__main__":
    main()
