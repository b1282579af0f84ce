"""PyTorch's functions under the names, parameters and defaults that the reference cases use (those of the operations' list)."""
import math

import torch
import torch.nn.functional as F

DTYPES = {
    "f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64, "u8": torch.uint8, "i8": torch.int8,
    "i16": torch.int16, "i32": torch.int32, "i64": torch.int64, "bool": torch.bool,
}


def tensor_of(value, like=None):
    return value if isinstance(value, torch.Tensor) else torch.tensor(value)


def given(**arguments):
    return {name: value for name, value in arguments.items() if value is not None}


# Creation

def arange(start=None, end=None, step=1, dtype=None):
    if end is None:
        start, end = 0, start
    return torch.arange(0 if start is None else start, end, step, dtype=dtype)


def eye(n, m=None, dtype=torch.float32):
    return torch.eye(n, n if m is None else m, dtype=dtype)


def full(size, fill_value, dtype=None):
    return torch.full(size, fill_value, dtype=dtype)


def new_ones(input, size, dtype=None):
    return input.new_ones(size, dtype=dtype)


def linspace(start, end, steps, dtype=torch.float32):
    return torch.linspace(start, end, steps, dtype=dtype)


def logspace(start, end, steps, base=10.0, dtype=torch.float32):
    return torch.logspace(start, end, steps, base, dtype=dtype)


# Pointwise

def scaled(name):
    f = getattr(torch, name)
    return lambda input, other, alpha=1: f(input, other, alpha=alpha)


def divide(input, other, rounding_mode=None):
    return torch.div(input, other, rounding_mode=rounding_mode)


def round_to(input, decimals=0):
    return torch.round(input, decimals=decimals) if decimals else torch.round(input)


def fused(name):
    f = getattr(torch, name)
    return lambda input, tensor1, tensor2, value=1: f(input, tensor1, tensor2, value=value)


# Reductions

def position(name):
    f = getattr(torch, name)
    return lambda input, dim=None, keepdim=False: f(input, dim, keepdim)


def moments(name):
    f = getattr(torch, name)

    def call(input, dim=None, unbiased=True, keepdim=False):
        return f(input, dim=dim, unbiased=unbiased, keepdim=keepdim) if dim is not None or keepdim else f(input, unbiased=unbiased)

    return call


def norm(input, p="fro", dim=None, keepdim=False):
    return torch.norm(input, p, dim, keepdim)


def sort(input, dim=-1, descending=False, stable=False):
    return torch.sort(input, dim=dim, descending=descending, stable=True)


def topk(input, k, dim=-1, largest=True, sorted=True):
    return torch.topk(input, k, dim, largest, sorted)


def quantile(input, q, dim=None, keepdim=False):
    return torch.quantile(input, q, dim, keepdim)


# Shape and selection

def repeat_interleave(input, repeats, dim=None):
    return torch.repeat_interleave(input, torch.tensor(repeats) if isinstance(repeats, list) else repeats, dim)


def index_put(input, indices, values, accumulate=False):
    return input.index_put(indices, values, accumulate)


def scatter(input, dim, index, src=None, value=None):
    return input.scatter(dim, index, src) if value is None else input.scatter(dim, index, value)


def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    return torch.slice_scatter(input, src, dim, start, end, step)


def take_along_dim(input, indices, dim=None):
    return torch.take_along_dim(input, indices, dim)


def where(condition, input, other):
    return torch.where(condition, tensor_of(input), tensor_of(other)) if not isinstance(input, torch.Tensor) else torch.where(condition, input, other)


# Products

def addition(name):
    f = getattr(torch, name)
    return lambda input, a, b, beta=1, alpha=1: f(input, a, b, beta=beta, alpha=alpha)


def named_product(name, first, second):
    f = getattr(torch, name)

    def call(input, *args, beta=1, alpha=1, **named):
        a, b = [*args, *(named[n] for n in (first, second) if n in named)]
        return f(input, a, b, beta=beta, alpha=alpha)

    return call


# Convolution

def conv_transpose(n):
    f = getattr(F, f"conv_transpose{n}d")

    def call(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        return f(input, weight, bias, stride, padding, output_padding, groups, dilation)

    return call


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    return F.interpolate(input, size, scale_factor, mode, align_corners)


def pad(input, pad, mode="constant", value=None):
    return F.pad(input, pad, mode, value)


# Pooling

def max_pool(n):
    f = getattr(F, f"max_pool{n}d")

    def call(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        return f(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)

    return call


# Layers

def embedding(input, weight, padding_idx=None):
    return F.embedding(input, weight, padding_idx)


def embedding_bag(input, weight, offsets=None, mode="mean"):
    return F.embedding_bag(input, weight, offsets, mode=mode)


def multi_head_attention(
    query, key, value, in_proj_weight, in_proj_bias, out_proj_weight, out_proj_bias, num_heads,
    key_padding_mask=None, attn_mask=None, need_weights=True, batch_first=False,
):
    turn = (lambda x: x.transpose(0, 1)) if batch_first and query.dim() == 3 else (lambda x: x)
    output, weights = F.multi_head_attention_forward(
        turn(query), turn(key), turn(value), query.shape[-1], num_heads, in_proj_weight, in_proj_bias, None, None, False, 0.0,
        out_proj_weight, out_proj_bias, True, key_padding_mask, need_weights, attn_mask,
    )
    return (turn(output), weights) if need_weights else turn(output)


# Normalisation

def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05):
    if running_mean is None:
        return F.batch_norm(input, None, None, weight, bias, training, momentum, eps)
    mean, var = running_mean.detach().clone(), running_var.detach().clone()
    if not training:
        return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps), running_mean, running_var
    output = F.batch_norm(input, mean, var, weight, bias, training, momentum, eps)
    return output, mean, var


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-05):
    copy = [None if t is None else t.detach().clone() for t in (running_mean, running_var)]
    return F.instance_norm(input, *copy, weight, bias, use_input_stats, momentum, eps)


# Recurrent

def recurrent(kind):
    def call(input, h0, *rest, num_layers=1, nonlinearity="tanh", batch_first=False, bidirectional=False, **named):
        states = (h0, *rest[:-1])
        weights = list(rest[-1])
        common = (True, num_layers, 0.0, False, bidirectional, batch_first)
        if kind == "lstm":
            return torch.lstm(input, states, weights, *common)
        f = torch.gru if kind == "gru" else torch.rnn_tanh if nonlinearity == "tanh" else torch.rnn_relu
        return f(input, h0, weights, *common)

    return call


def rnn_cell(input, hx, w_ih, w_hh, b_ih, b_hh, nonlinearity="tanh"):
    return (torch.rnn_tanh_cell if nonlinearity == "tanh" else torch.rnn_relu_cell)(input, hx, w_ih, w_hh, b_ih, b_hh)


def lstm_cell(input, hx, cx, w_ih, w_hh, b_ih, b_hh):
    return torch.lstm_cell(input, (hx, cx), w_ih, w_hh, b_ih, b_hh)


# Losses: the parameters without the deprecated ones

def loss(name, *order):
    f = getattr(F, name)

    def call(*args, **named):
        return f(**dict(zip(order, args)), **named)

    return call


# Clipping

def clip_grad_norm(grads, max_norm, norm_type=2.0):
    total = torch.norm(torch.stack([torch.norm(g, norm_type) for g in grads]), norm_type)
    scale = torch.clamp(max_norm / (total + 1e-6), max=1.0)
    return (total, *[g * scale for g in grads])


def clip_grad_value(grads, clip_value):
    return tuple(torch.clamp(g, -clip_value, clip_value) for g in grads)


names = {name: getattr(F, name) for name in dir(F) if not name.startswith("_") and callable(getattr(F, name))}
names.update({name: getattr(torch, name) for name in dir(torch) if not name.startswith("_") and callable(getattr(torch, name))})
names.update({name: getattr(torch.linalg, name) for name in ("solve", "solve_triangular", "pinv", "matrix_exp")})
names.update(DTYPES)
names.update(
    zeros=lambda size, dtype=torch.float32: torch.zeros(size, dtype=dtype), ones=lambda size, dtype=torch.float32: torch.ones(size, dtype=dtype),
    full_like=lambda input, fill_value, dtype=None: torch.full_like(input, fill_value, dtype=dtype),
    empty=lambda size, dtype=torch.float32: torch.empty(size, dtype=dtype),
    inf=math.inf, nan=math.nan, add=scaled("add"), sub=scaled("sub"), div=divide, round=round_to, addcmul=fused("addcmul"), addcdiv=fused("addcdiv"),
    logspace=logspace, tensor=lambda data, dtype=None: torch.tensor(data, dtype=dtype), meshgrid=lambda *tensors, indexing="ij": torch.meshgrid(*tensors, indexing=indexing),
    arange=arange, eye=eye, full=full, new_ones=new_ones, linspace=linspace,
    cast=lambda input, dtype: input.to(dtype), ndim=lambda input: input.dim(), size=lambda input, dim: input.shape[dim],
    one_hot=lambda tensor, num_classes: F.one_hot(tensor, num_classes), detach=lambda input: input.detach(),
    repeat=lambda input, repeats: input.repeat(repeats), expand=lambda input, size: input.expand(size),
    repeat_interleave=repeat_interleave, index_put=index_put, scatter=scatter, take_along_dim=take_along_dim, slice_scatter=slice_scatter, where=where,
    norm=norm, sort=sort, topk=topk, quantile=quantile, std=moments("std"), var=moments("var"), var_mean=moments("var_mean"),
    argmax=position("argmax"), argmin=position("argmin"), interpolate=interpolate, pad=pad, embedding=embedding, embedding_bag=embedding_bag,
    multi_head_attention=multi_head_attention, batch_norm=batch_norm, instance_norm=instance_norm,
    rnn=recurrent("rnn"), gru=recurrent("gru"), lstm=recurrent("lstm"), rnn_cell=rnn_cell, gru_cell=torch.gru_cell, lstm_cell=lstm_cell,
    clip_grad_norm=clip_grad_norm, clip_grad_value=clip_grad_value, reshape=lambda input, shape: input.reshape(shape),
    group_norm=F.group_norm, layer_norm=F.layer_norm, softplus=F.softplus, celu=F.celu, selu=F.selu, relu=torch.relu,
    hardshrink=F.hardshrink, prelu=F.prelu, threshold=F.threshold, dropout=lambda input, p=0.5, training=True: F.dropout(input, p, training),
    alpha_dropout=lambda input, p=0.5, training=True: F.alpha_dropout(input, p, training),
    dropout2d=lambda input, p=0.5, training=True: F.dropout2d(input, p, training), pow=torch.pow, unfold=F.unfold, fold=F.fold,
    softmax=lambda input, dim: F.softmax(input, dim), log_softmax=lambda input, dim: F.log_softmax(input, dim),
    softmin=lambda input, dim: F.softmin(input, dim), pixel_shuffle=F.pixel_shuffle,
    adaptive_max_pool1d=lambda input, output_size: F.adaptive_max_pool1d(input, output_size), bilinear=F.bilinear,
)
for n in (1, 2, 3):
    names[f"max_pool{n}d"] = max_pool(n)
    names[f"conv_transpose{n}d"] = conv_transpose(n)
    names[f"avg_pool{n}d"] = getattr(F, f"avg_pool{n}d")
for name, a, b in (("addmm", "mat1", "mat2"), ("addmv", "mat", "vec"), ("addr", "vec1", "vec2"), ("addbmm", "batch1", "batch2"), ("baddbmm", "batch1", "batch2")):
    names[name] = named_product(name, a, b)
for name, order in {
    "binary_cross_entropy": "input target weight reduction", "binary_cross_entropy_with_logits": "input target weight reduction pos_weight",
    "cosine_embedding_loss": "input1 input2 target margin reduction", "cross_entropy": "input target weight ignore_index reduction label_smoothing",
    "gaussian_nll_loss": "input target var full eps reduction", "hinge_embedding_loss": "input target margin reduction",
    "huber_loss": "input target reduction delta", "kl_div": "input target reduction log_target", "l1_loss": "input target reduction",
    "margin_ranking_loss": "input1 input2 target margin reduction", "mse_loss": "input target reduction",
    "multi_margin_loss": "input target p margin weight reduction", "nll_loss": "input target weight ignore_index reduction",
    "poisson_nll_loss": "input target log_input full eps reduction", "smooth_l1_loss": "input target reduction beta",
    "soft_margin_loss": "input target reduction", "triplet_margin_loss": "anchor positive negative margin p eps swap reduction",
}.items():
    names[name] = loss(name, *order.split())
