tdsl 1
# Layers, with PyTorch's names, arguments, parameter layouts and initial values.

## `x @ weight.T + bias` over the last axis.
model Linear(in_features: int, out_features: int, bias: bool = true) {
  let has_bias = bias
  param weight: f32[out_features, in_features] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: f32[out_features] = uniform(a: -1.0 / in_features ** 0.5, b: 1.0 / in_features ** 0.5) }

  fn forward(x: f32[*S, in_features]) -> f32[*S, out_features] = linear(x, weight, if has_bias { bias } else { none })
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
  padding_mode: string = "zeros"
) {
  let has_bias = bias
  let kernel = pair(kernel_size)
  let bound = 1.0 / (in_channels // groups * kernel[0] * kernel[1]) ** 0.5
  param weight: f32[out_channels, in_channels // groups, kernel[0], kernel[1]] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: f32[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor {
    let b = if has_bias { bias } else { none }
    if padding_mode == "zeros" {
      conv2d(x, weight, b, stride, padding, dilation, groups)
    } else {
      let p = pair(padding)
      conv2d(pad(x, [p[1], p[1], p[0], p[0]], padding_mode), weight, b, stride, 0, dilation, groups)
    }
  }
}

## The largest element of each window.
model MaxPool2d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false
) {
  fn forward(x: tensor) -> tensor = max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)
}

## The mean of each window.
model AvgPool2d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
  divisor_override: int? = none
) {
  fn forward(x: tensor) -> tensor =
    avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
}

## Joins the axes from `start_dim` to `end_dim`.
model Flatten(start_dim: int = 1, end_dim: int = -1) {
  fn forward(x: tensor) -> tensor = flatten(x, start_dim, end_dim)
}

## In training sets elements to zero with probability `p` and divides the others by `1 - p`; in evaluation the identity.
model Dropout(p: float = 0.5) {
  fn forward(x: tensor) -> tensor = dropout(x, p, training)
}

## Batch normalisation over all axes but axis 1 (Ioffe and Szegedy 2015). In training it uses the statistics of the batch and
## updates the running ones; in evaluation it uses the running statistics, or those of the batch where none are tracked.
model BatchNorm(
  num_features: int,
  eps: float = 1e-5,
  momentum: float = 0.1,
  affine: bool = true,
  track_running_stats: bool = true
) {
  if affine {
    param weight: f32[num_features] = ones
    param bias: f32[num_features] = zeros
  }
  if track_running_stats {
    buffer running_mean: f32[num_features] = zeros
    buffer running_var: f32[num_features] = ones
    buffer num_batches_tracked: i64 = 0
  }

  fn forward(x: tensor) -> tensor {
    let w = if affine { weight } else { none }
    let b = if affine { bias } else { none }
    if track_running_stats {
      let (y, mean, var) = batch_norm(x, running_mean, running_var, w, b, training, momentum, eps)
      if training {
        running_mean = mean
        running_var = var
        num_batches_tracked = num_batches_tracked + 1
      }
      y
    } else {
      batch_norm(x, none, none, w, b, true, momentum, eps)
    }
  }
}

## Batch normalisation of [N, C] or [N, C, L].
let BatchNorm1d = BatchNorm

## Batch normalisation of [N, C, H, W].
let BatchNorm2d = BatchNorm

## `max(x, 0)`.
model ReLU() { fn forward(x: tensor) -> tensor = relu(x) }

## `1 / (1 + exp(-x))`.
model Sigmoid() { fn forward(x: tensor) -> tensor = sigmoid(x) }

## The hyperbolic tangent.
model Tanh() { fn forward(x: tensor) -> tensor = tanh(x) }

## `x * Φ(x)`.
model GELU(approximate: string = "none") { fn forward(x: tensor) -> tensor = gelu(x, approximate) }

## `x` where positive, else `negative_slope * x`.
model LeakyReLU(negative_slope: float = 0.01) { fn forward(x: tensor) -> tensor = leaky_relu(x, negative_slope) }

## `exp(x) / sum(exp(x))` along `dim`.
model Softmax(dim: int) { fn forward(x: tensor) -> tensor = softmax(x, dim) }
