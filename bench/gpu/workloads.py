"""What is checked and timed of workloads.td, as data."""

from collections import namedtuple

# `shapes` are those of the inputs by symbols, `checks` and `times` sizes; `unit` says whether a time is compared with products or with copies, or that it is a
# matter of waiting, which has no rate.
Workload = namedtuple("Workload", "name shapes checks times unit dtype")


def workload(name, shapes, checks, times, unit, dtype="f32"):
    return Workload(name, shapes, checks, times, unit, dtype)


HEADS = ("B", "T", 64)
ATTENTIONS = [dict(B=64, T=256), dict(B=64, T=1024), dict(B=32, T=4096)]

WORKLOADS = [
    workload("matmul", ["MK", "KN"], [dict(M=200, K=150, N=130)], [dict(M=n, K=n, N=n) for n in (1024, 4096, 8192)], "flops"),
    workload("linear_gelu", ["MK", "NK", "N"], [dict(M=70, K=90, N=100)], [dict(M=4096, K=1024, N=4096)], "flops"),
    # Of the second size tiles of wgmma are taken where a card has few processors; times take them on every one.
    workload("linear_bf16", ["MK", "NK"], [dict(M=300, K=104, N=600), dict(M=2048, K=64, N=2304)],
             [dict(M=n, K=n, N=n) for n in (4096, 8192)], "flops", "bf16"),
    workload("matmul_bf16", ["MK", "KN"], [dict(M=300, K=104, N=600), dict(M=2048, K=64, N=2304)],
             [dict(M=n, K=n, N=n) for n in (4096, 8192)], "flops", "bf16"),
    workload("gelu_mul", ["MN", "MN"], [dict(M=33, N=37)], [dict(M=8192, N=8192)], "bytes"),
    # Rows of a warp, of a block, and those that are read again.
    workload("row_softmax", ["MN"], [dict(M=9, N=n) for n in (300, 3000, 9000)],
             [dict(M=16384, N=1024), dict(M=8192, N=8192), dict(M=4096, N=32768)], "bytes"),
    workload("softmax_gradient", ["MN", "MN"], [dict(M=9, N=n) for n in (300, 3000, 9000)], [dict(M=16384, N=1024), dict(M=4096, N=32768)], "bytes"),
    workload("column_sum", ["MN"], [dict(M=70, N=50), dict(M=1000, N=90)], [dict(M=16384, N=1024)], "bytes"),
    workload("total", ["MN"], [dict(M=70, N=50), dict(M=1000, N=90)], [dict(M=8192, N=8192)], "bytes"),
    workload("convolution", [("B", "C", 32, 32), ("O", "C", 3, 3)], [dict(B=3, C=5, O=30)], [dict(B=64, C=64, O=64)], "flops"),
    workload("attention", [HEADS] * 3, [dict(B=3, T=150)], ATTENTIONS, "flops"),
    workload("attention_bf16", [HEADS] * 3, [dict(B=3, T=150)], ATTENTIONS, "flops", "bf16"),
    workload("attention_causal", [HEADS] * 3, [dict(B=3, T=150)], ATTENTIONS, "flops"),
    workload("solve_64", [(64, 64), (64, 8)], [dict()], [dict()], "waiting"),
    workload("recurrence", [(32, 32), (100, 4, 32)], [dict()], [dict()], "waiting"),
    workload("attention_gradient", [HEADS] * 4, [dict(B=3, T=150)], ATTENTIONS, "flops"),
]
# How products of f32 are computed, and the relative errors that are allowed.
PRECISIONS = {"f32": 1e-5, "tf32": 1e-3, "bf16": 1e-2}


def is_run_in(precision, work):
    """Products of bf16 are the same whatever becomes of f32."""
    return precision == "bf16" if work.dtype == "bf16" else precision == "f32" or work.unit == "flops"


def work_of(work, sizes, moved):
    """Operations, or the bytes that are moved at least."""
    if work.unit == "bytes":
        return moved
    if work.name == "convolution":
        return 2 * sizes["B"] * sizes["O"] * sizes["C"] * 32 * 32 * 9
    if work.name.startswith("attention"):
        # Products of the formula, as if nothing were masked: two forwards, and five with the gradient, which needs the scores but not their sums.
        products = 5 if work.name == "attention_gradient" else 2
        return products * 2 * sizes["B"] * sizes["T"] ** 2 * 64
    return 2 * sizes["M"] * sizes["K"] * sizes["N"]
