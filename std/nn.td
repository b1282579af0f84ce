tdsl 1
# Layers, with PyTorch's names, arguments, parameter layouts and initial values.
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

## Pads the input of a convolution by a mode other than zeros.
fn _padded(
  x: tensor,
  padding: int | [int] | string,
  kernel: [int],
  dilation: [int],
  mode: string,
) -> tensor {
  let rank = len(kernel)
  let sides = if is_string(padding) {
    assert(
      padding == "same" || padding == "valid",
      "padding is a number, a list, \"same\" or \"valid\", not \"" + padding + "\"",
    )
    [if padding == "valid" { 0 } else { dilation[i] * (kernel[i] - 1) } for i in 0..rank]
  } else {
    [2 * p for p in for_each_axis(padding, rank, "padding")]
  }
  let last_first = [sides[rank - 1 - i] for i in 0..rank]
  pad(x, [if side == 0 { n // 2 } else { n - n // 2 } for n in last_first for side in 0..2], mode)
}

## What a convolution prints: what differs from the defaults is named.
fn _conv_repr(
  in_channels: int,
  out_channels: int,
  kernel: [int],
  stride: int | [int],
  padding: int | [int] | string,
  output_padding: int | [int],
  dilation: int | [int],
  groups: int,
  bias: bool,
  padding_mode: string,
) -> string {
  let rank = len(kernel)
  let each = (size, name) => for_each_axis(size, rank, name)
  let differs = (sizes, usual) => len([n for n in sizes if n != usual]) > 0
  let text =
    repr(in_channels) +
      ", " +
      repr(out_channels) +
      ", kernel_size=" +
      repr(kernel) +
      ", stride=" +
      repr(each(stride, "stride"))
  if is_string(padding) {
    text = text + ", padding=" + padding
  } else {
    if differs(each(padding, "padding"), 0) {
      text = text + ", padding=" + repr(each(padding, "padding"))
    }
  }
  if differs(each(dilation, "dilation"), 1) {
    text = text + ", dilation=" + repr(each(dilation, "dilation"))
  }
  if differs(each(output_padding, "output_padding"), 0) {
    text = text + ", output_padding=" + repr(each(output_padding, "output_padding"))
  }
  if groups != 1 { text = text + ", groups=" + repr(groups) }
  if !bias { text = text + ", bias=False" }
  if padding_mode != "zeros" { text = text + ", padding_mode=" + padding_mode }
  text
}

## A number that PyTorch's layers hold as an int where it is whole.
fn _whole(x: float) -> string = if x == floor_int(x) { repr(floor_int(x)) } else { repr(x) }

## One-dimensional convolution of [N, C, L] or [C, L]. `padding` also "same" or "valid"; `padding_mode` "zeros", "reflect",
## "replicate" or "circular".
model Conv1d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] | string = 0,
  dilation: int | [int] = 1,
  groups: int = 1,
  bias: bool = true,
  padding_mode: string = "zeros",
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 1, "kernel_size")
  let inputs = channels_of_group(in_channels, out_channels, groups)
  let bound = 1.0 / (inputs * product_of(kernel)) ** 0.5
  param weight: real[out_channels, inputs, kernel[0]] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor {
    let b = if has_bias { bias } else { none }
    if padding_mode == "zeros" {
      conv1d(x, weight, b, stride, padding, dilation, groups)
    } else {
      let padded = _padded(x, padding, kernel, for_each_axis(dilation, 1, "dilation"), padding_mode)
      conv1d(padded, weight, b, stride, 0, dilation, groups)
    }
  }

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      0,
      dilation,
      groups,
      has_bias,
      padding_mode,
    )
}

## Two-dimensional convolution of [N, C, H, W] or [C, H, W]. `padding` also "same" or "valid"; `padding_mode` "zeros", "reflect",
## "replicate" or "circular".
model Conv2d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] | string = 0,
  dilation: int | [int] = 1,
  groups: int = 1,
  bias: bool = true,
  padding_mode: string = "zeros",
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 2, "kernel_size")
  let inputs = channels_of_group(in_channels, out_channels, groups)
  let bound = 1.0 / (inputs * product_of(kernel)) ** 0.5
  param weight: real[out_channels, inputs, kernel[0], kernel[1]] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor {
    let b = if has_bias { bias } else { none }
    if padding_mode == "zeros" {
      conv2d(x, weight, b, stride, padding, dilation, groups)
    } else {
      let padded = _padded(x, padding, kernel, for_each_axis(dilation, 2, "dilation"), padding_mode)
      conv2d(padded, weight, b, stride, 0, dilation, groups)
    }
  }

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      0,
      dilation,
      groups,
      has_bias,
      padding_mode,
    )
}

## Three-dimensional convolution of [N, C, D, H, W] or [C, D, H, W]. `padding` also "same" or "valid"; `padding_mode` "zeros", "reflect",
## "replicate" or "circular".
model Conv3d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] | string = 0,
  dilation: int | [int] = 1,
  groups: int = 1,
  bias: bool = true,
  padding_mode: string = "zeros",
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 3, "kernel_size")
  let inputs = channels_of_group(in_channels, out_channels, groups)
  let bound = 1.0 / (inputs * product_of(kernel)) ** 0.5
  param weight: real[out_channels, inputs, kernel[0], kernel[1], kernel[2]] = kaiming_uniform(
    a: 5.0 ** 0.5,
  )
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor {
    let b = if has_bias { bias } else { none }
    if padding_mode == "zeros" {
      conv3d(x, weight, b, stride, padding, dilation, groups)
    } else {
      let padded = _padded(x, padding, kernel, for_each_axis(dilation, 3, "dilation"), padding_mode)
      conv3d(padded, weight, b, stride, 0, dilation, groups)
    }
  }

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      0,
      dilation,
      groups,
      has_bias,
      padding_mode,
    )
}

## Transposed one-dimensional convolution of [N, C, L] or [C, L].
model ConvTranspose1d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] = 0,
  output_padding: int | [int] = 0,
  groups: int = 1,
  bias: bool = true,
  dilation: int | [int] = 1,
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 1, "kernel_size")
  let outputs = channels_of_group(out_channels, in_channels, groups)
  let bound = 1.0 / (outputs * product_of(kernel)) ** 0.5
  param weight: real[in_channels, outputs, kernel[0]] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor =
    conv_transpose1d(
      x,
      weight,
      if has_bias { bias } else { none },
      stride,
      padding,
      output_padding,
      groups,
      dilation,
    )

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      output_padding,
      dilation,
      groups,
      has_bias,
      "zeros",
    )
}

## Transposed two-dimensional convolution of [N, C, H, W] or [C, H, W].
model ConvTranspose2d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] = 0,
  output_padding: int | [int] = 0,
  groups: int = 1,
  bias: bool = true,
  dilation: int | [int] = 1,
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 2, "kernel_size")
  let outputs = channels_of_group(out_channels, in_channels, groups)
  let bound = 1.0 / (outputs * product_of(kernel)) ** 0.5
  param weight: real[in_channels, outputs, kernel[0], kernel[1]] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor =
    conv_transpose2d(
      x,
      weight,
      if has_bias { bias } else { none },
      stride,
      padding,
      output_padding,
      groups,
      dilation,
    )

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      output_padding,
      dilation,
      groups,
      has_bias,
      "zeros",
    )
}

## Transposed three-dimensional convolution of [N, C, D, H, W] or [C, D, H, W].
model ConvTranspose3d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] = 0,
  output_padding: int | [int] = 0,
  groups: int = 1,
  bias: bool = true,
  dilation: int | [int] = 1,
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 3, "kernel_size")
  let outputs = channels_of_group(out_channels, in_channels, groups)
  let bound = 1.0 / (outputs * product_of(kernel)) ** 0.5
  param weight: real[in_channels, outputs, kernel[0], kernel[1], kernel[2]] = kaiming_uniform(
    a: 5.0 ** 0.5,
  )
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor =
    conv_transpose3d(
      x,
      weight,
      if has_bias { bias } else { none },
      stride,
      padding,
      output_padding,
      groups,
      dilation,
    )

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      output_padding,
      dilation,
      groups,
      has_bias,
      "zeros",
    )
}

## The largest element of each window.
model MaxPool1d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false,
) {
  fn forward(x: tensor) -> tensor = max_pool1d(x, kernel_size, stride, padding, dilation, ceil_mode)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding) +
      ", dilation=" +
      repr(dilation) +
      ", ceil_mode=" +
      repr(ceil_mode)
}

## The largest element of each window.
model MaxPool2d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false,
) {
  fn forward(x: tensor) -> tensor = max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding) +
      ", dilation=" +
      repr(dilation) +
      ", ceil_mode=" +
      repr(ceil_mode)
}

## The largest element of each window.
model MaxPool3d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false,
) {
  fn forward(x: tensor) -> tensor = max_pool3d(x, kernel_size, stride, padding, dilation, ceil_mode)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding) +
      ", dilation=" +
      repr(dilation) +
      ", ceil_mode=" +
      repr(ceil_mode)
}

## The mean of each window.
model AvgPool1d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
) {
  fn forward(x: tensor) -> tensor =
    avg_pool1d(x, kernel_size, stride, padding, ceil_mode, count_include_pad)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(for_each_axis(kernel_size, 1, "kernel_size")) +
      ", stride=" +
      repr(for_each_axis(if stride == none { kernel_size } else { stride }, 1, "stride")) +
      ", padding=" +
      repr(for_each_axis(padding, 1, "padding"))
}

## The mean of each window.
model AvgPool2d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
  divisor_override: int? = none,
) {
  fn forward(x: tensor) -> tensor =
    avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding)
}

## The mean of each window.
model AvgPool3d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
  divisor_override: int? = none,
) {
  fn forward(x: tensor) -> tensor =
    avg_pool3d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding)
}

## Means over windows that cover the image as evenly as possible.
model AdaptiveAvgPool2d(output_size: int | [int?]) {
  fn forward(x: tensor) -> tensor = adaptive_avg_pool2d(x, output_size)

  fn extra_repr() -> string = "output_size=" + repr(output_size)
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

## `max(x, 0)`.
model ReLU { fn forward(x: tensor) -> tensor = relu(x) }

## Clamped to 0 ... 6.
model ReLU6 { fn forward(x: tensor) -> tensor = relu6(x) }

## `x` where positive, else `negative_slope * x`.
model LeakyReLU(negative_slope: float = 0.01) {
  fn forward(x: tensor) -> tensor = leaky_relu(x, negative_slope)

  fn extra_repr() -> string = "negative_slope=" + repr(negative_slope)
}

## `x` where positive, else `alpha * (exp(x) - 1)`.
model ELU(alpha: float = 1.0) {
  fn forward(x: tensor) -> tensor = elu(x, alpha)

  fn extra_repr() -> string = "alpha=" + repr(alpha)
}

## Self-normalising ELU.
model SELU { fn forward(x: tensor) -> tensor = selu(x) }

## `x` where positive, else `alpha * (exp(x / alpha) - 1)`.
model CELU(alpha: float = 1.0) {
  fn forward(x: tensor) -> tensor = celu(x, alpha)

  fn extra_repr() -> string = "alpha=" + repr(alpha)
}

## `x * Φ(x)`.
model GELU(approximate: string = "none") {
  fn forward(x: tensor) -> tensor = gelu(x, approximate)

  fn extra_repr() -> string = "approximate=" + repr(approximate)
}

## `x * sigmoid(x)`.
model SiLU { fn forward(x: tensor) -> tensor = silu(x) }

## `x * tanh(softplus(x))`.
model Mish { fn forward(x: tensor) -> tensor = mish(x) }

## `1 / (1 + exp(-x))`.
model Sigmoid { fn forward(x: tensor) -> tensor = sigmoid(x) }

## `log(sigmoid(x))`.
model LogSigmoid { fn forward(x: tensor) -> tensor = logsigmoid(x) }

## The hyperbolic tangent.
model Tanh { fn forward(x: tensor) -> tensor = tanh(x) }

## `log(1 + exp(beta * x)) / beta`.
model Softplus(beta: float = 1.0, threshold: float = 20.0) {
  fn forward(x: tensor) -> tensor = softplus(x, beta, threshold)

  fn extra_repr() -> string = "beta=" + _whole(beta) + ", threshold=" + _whole(threshold)
}

## `x / (1 + |x|)`.
model Softsign { fn forward(x: tensor) -> tensor = softsign(x) }

## Clamped to `min_val ... max_val`.
model Hardtanh(min_val: float = -1.0, max_val: float = 1.0) {
  fn forward(x: tensor) -> tensor = hardtanh(x, min_val, max_val)

  fn extra_repr() -> string = "min_val=" + repr(min_val) + ", max_val=" + repr(max_val)
}

## `min(max(x + 3, 0), 6) / 6`.
model Hardsigmoid { fn forward(x: tensor) -> tensor = hardsigmoid(x) }

## `x * hardsigmoid(x)`.
model Hardswish { fn forward(x: tensor) -> tensor = hardswish(x) }

## `exp(x) / sum(exp(x))` along `dim`.
model Softmax(dim: int) {
  fn forward(x: tensor) -> tensor = softmax(x, dim)

  fn extra_repr() -> string = "dim=" + repr(dim)
}

## `log(softmax(x))` along `dim`.
model LogSoftmax(dim: int) {
  fn forward(x: tensor) -> tensor = log_softmax(x, dim)

  fn extra_repr() -> string = "dim=" + repr(dim)
}

## The first half along `dim` times the sigmoid of the second half.
model GLU(dim: int = -1) {
  fn forward(x: tensor) -> tensor = glu(x, dim)

  fn extra_repr() -> string = "dim=" + repr(dim)
}

## `x` where positive, else `weight * x` with a learned slope, one for all or one for each channel (He et al. 2015).
model PReLU(num_parameters: int = 1, init: float = 0.25) {
  param weight: real[num_parameters] = constant(value: init)
  fn forward(x: tensor) -> tensor = prelu(x, weight)

  fn extra_repr() -> string = "num_parameters=" + repr(num_parameters)
}
