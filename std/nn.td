tdsl 1
# Layers, with PyTorch's names, arguments, parameter layouts and initial values.
import std.nn_activation {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  PReLU,
  ReLU,
  ReLU6,
  SELU,
  SiLU,
  Sigmoid,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
}
import std.nn_convolution {
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
}
import std.nn_pool {
  AdaptiveAvgPool2d,
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
}
import std.nn_regular {
  AlphaDropout,
  CosineSimilarity,
  Dropout1d,
  Dropout3d,
  EmbeddingBag,
  Hardshrink,
  InstanceNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  LocalResponseNorm,
  PairwiseDistance,
  Softmin,
  Softshrink,
  Tanhshrink,
  Threshold,
}
import std.nn_resample {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  Fold,
  LPPool1d,
  LPPool2d,
  MaxUnpool1d,
  MaxUnpool2d,
  MaxUnpool3d,
  PixelShuffle,
  PixelUnshuffle,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  Unflatten,
  Unfold,
  Upsample,
  ZeroPad2d,
}
import std.nn_sequence {
  GRU,
  GRUCell,
  LSTM,
  LSTMCell,
  MultiheadAttention,
  RNN,
  RNNCell,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
}

## `x @ weight.T + bias` over the last axis.
model Linear(in_features: int, out_features: int, bias: bool = true) {
  let has_bias = bias
  param weight: real[out_features, in_features] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias {
    param bias: real[out_features] = uniform(
      a: -1.0 / in_features ** 0.5,
      b: 1.0 / in_features ** 0.5,
    )
  }

  fn forward(x: real[*S, in_features]) -> real[*S, out_features] =
    linear(x, weight, if has_bias { bias } else { none })

  fn extra_repr() -> string =
    "in_features=" +
      repr(in_features) +
      ", out_features=" +
      repr(out_features) +
      ", bias=" +
      repr(has_bias)
}

## `x1 @ weight[o] @ x2 + bias[o]` for each output o, over the last axes.
model Bilinear(in1_features: int, in2_features: int, out_features: int, bias: bool = true) {
  let has_bias = bias
  let bound = 1.0 / in1_features ** 0.5
  param weight: real[out_features, in1_features, in2_features] = uniform(a: -bound, b: bound)
  if has_bias { param bias: real[out_features] = uniform(a: -bound, b: bound) }

  fn forward(x1: real[*S, in1_features], x2: real[*S, in2_features]) -> real[*S, out_features] =
    bilinear(x1, x2, weight, if has_bias { bias } else { none })

  fn extra_repr() -> string =
    "in1_features=" +
      repr(in1_features) +
      ", in2_features=" +
      repr(in2_features) +
      ", out_features=" +
      repr(out_features) +
      ", bias=" +
      repr(has_bias)
}

## Vectors for indices: the rows of `weight`. The row `padding_idx` begins as zeros and gets no gradient.
model Embedding(num_embeddings: int, embedding_dim: int, padding_idx: int? = none) {
  param weight: real[num_embeddings, embedding_dim] = _embedding_init(padding_idx: padding_idx)
  fn forward(x: i64[*S]) -> real[*S, embedding_dim] = embedding(x, weight, padding_idx)

  fn extra_repr() -> string =
    repr(num_embeddings) +
      ", " +
      repr(embedding_dim) +
      (if padding_idx == none { "" } else { ", padding_idx=" + repr(padding_idx) })
}

## Standard normal with the row `padding_idx` of zeros.
fn _embedding_init(size: [dim], padding_idx: int?, dtype: dtype = real) -> tensor {
  let rows = randn(size, dtype)
  if padding_idx == none {
    rows
  } else {
    let padding = if padding_idx < 0 { padding_idx + size[0] } else { padding_idx }
    where(unsqueeze(arange(end: size[0]), 1) == padding, 0, rows)
  }
}

## Joins the axes from `start_dim` to `end_dim`.
model Flatten(start_dim: int = 1, end_dim: int = -1) {
  fn forward(x: tensor) -> tensor = flatten(x, start_dim, end_dim)

  fn extra_repr() -> string = "start_dim=" + repr(start_dim) + ", end_dim=" + repr(end_dim)
}

## The input as it is.
model Identity { fn forward(x: tensor) -> tensor = x }

## Layers one after the other, given one by one, as a list, or as a record with their names. Parameters have the paths `0.weight`,
## `1.weight`, …; elements are `net[0]`, or `net.name`.
model Sequential(modules...: any) {
  _: if len(modules) == 1 && is_record(modules[0]) { modules[0] } else { modules }
  fn forward(x: tensor) -> tensor {
    let h = x
    for layer in self { h = layer(h) }
    h
  }
}

## In training sets elements to zero with probability `p` and divides the others by `1 - p`; in evaluation the identity.
model Dropout(p: float = 0.5) {
  let rate = checked_probability(p)
  fn forward(x: tensor) -> tensor = dropout(x, rate, training)

  fn extra_repr() -> string = "p=" + repr(p) + ", inplace=False"
}

## Dropout of whole channels.
model Dropout2d(p: float = 0.5) {
  let rate = checked_probability(p)
  fn forward(x: tensor) -> tensor = dropout2d(x, rate, training)

  fn extra_repr() -> string = "p=" + repr(p) + ", inplace=False"
}

## Batch normalisation over all axes but axis 1 (Ioffe and Szegedy 2015). In training it uses the statistics of the batch and
## updates the running ones; in evaluation it uses the running statistics, or those of the batch where none are tracked.
model BatchNorm(
  num_features: int,
  eps: float = 1e-5,
  momentum: float = 0.1,
  affine: bool = true,
  track_running_stats: bool = true,
) {
  if affine {
    param weight: real[num_features] = ones
    param bias: real[num_features] = zeros
  }
  if track_running_stats {
    buffer running_mean: real[num_features] = zeros
    buffer running_var: real[num_features] = ones
    buffer num_batches_tracked: i64 = 0
  }

  fn forward(x: tensor) -> tensor {
    let w = if affine { weight } else { none }
    let b = if affine { bias } else { none }
    if !track_running_stats {
      batch_norm(x, none, none, w, b, true, momentum, eps)
    } else {
      let (y, new_mean, new_var) = batch_norm(
        x,
        running_mean,
        running_var,
        w,
        b,
        training,
        momentum,
        eps,
      )
      if training {
        running_mean = new_mean
        running_var = new_var
        num_batches_tracked = num_batches_tracked + 1
      }
      y
    }
  }

  fn extra_repr() -> string =
    repr(num_features) +
      ", eps=" +
      repr(eps) +
      ", momentum=" +
      repr(momentum) +
      ", affine=" +
      repr(affine) +
      ", track_running_stats=" +
      repr(track_running_stats)
}

## Batch normalisation of [N, C] or [N, C, L].
let BatchNorm1d = BatchNorm

## Batch normalisation of [N, C, H, W].
let BatchNorm2d = BatchNorm

## Batch normalisation of [N, C, D, H, W].
let BatchNorm3d = BatchNorm

## Normalisation over the last axes, whose sizes are `normalized_shape` (Ba et al. 2016).
model LayerNorm(normalized_shape: int | [int], eps: float = 1e-5, elementwise_affine: bool = true) {
  let sizes = if is_list(normalized_shape) { normalized_shape } else { [normalized_shape] }
  if elementwise_affine {
    param weight: like(zeros(sizes)) = ones
    param bias: like(zeros(sizes)) = zeros
  }
  fn forward(x: tensor) -> tensor =
    layer_norm(
      x,
      sizes,
      if elementwise_affine { weight } else { none },
      if elementwise_affine { bias } else { none },
      eps,
    )

  fn extra_repr() -> string =
    repr(sizes) + ", eps=" + repr(eps) + ", elementwise_affine=" + repr(elementwise_affine)
}

## Normalisation of each sample over groups of channels (Wu and He 2018).
model GroupNorm(num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = true) {
  if affine {
    param weight: real[num_channels] = ones
    param bias: real[num_channels] = zeros
  }
  fn forward(x: tensor) -> tensor =
    group_norm(
      x,
      num_groups,
      if affine { weight } else { none },
      if affine { bias } else { none },
      eps,
    )

  fn extra_repr() -> string =
    repr(num_groups) + ", " + repr(num_channels) + ", eps=" + repr(eps) + ", affine=" + repr(affine)
}
