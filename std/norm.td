tdsl 1
# Normalisation layers as functions.

## `(x - mean) / sqrt(var + eps)`.
fn _standardise(x: tensor, mean: tensor, var: tensor, eps: float) -> tensor =
  (x - mean) * rsqrt(var + eps)

## Normalised by the mean and the variance over `axes`. Its derivative takes two sums of the same elements.
fn _normalise[T: float](input: T[*S], axes: [int], eps: float) -> T[*S] {
  let x = widened(input)
  let (variance, average) = var_mean(x, axes, false, true)
  cast(_standardise(x, average, variance, eps), input.dtype)
}
  derivative (dinput) => {
    let (x, dx) = (widened(input), widened(dinput))
    let (variance, average) = var_mean(x, axes, false, true)
    # Of 16 bits the result is rounded, and what is left of the differences below would be mostly that.
    let y = if x.dtype == result.dtype { result } else { _standardise(x, average, variance, eps) }
    let along = y * mean(y * dx, axes, true)
    cast(rsqrt(variance + eps) * (dx - mean(dx, axes, true) - along), input.dtype)
  }

## Scale and shift by one number for each channel of [N, C, ...].
fn _affine(x: tensor, weight: tensor?, bias: tensor?) -> tensor {
  let along = [1, -1] + [1 for i in 2..ndim(x)]
  let scaled = if weight == none { x } else { x * reshape(weight, along) }
  if bias == none { scaled } else { scaled + reshape(bias, along) }
}

## Batch normalisation over all axes but axis 1 (Ioffe and Szegedy 2015), by the statistics of the batch in training, else by the running
## ones. Gives (output, running_mean, running_var), and the output alone where the running arguments are none. The running variance is
## the unbiased one.
fn batch_norm[T: float](
  input: T[*S],
  running_mean: T[_]?,
  running_var: T[_]?,
  weight: T[_]? = none,
  bias: T[_]? = none,
  training: bool = false,
  momentum: float = 0.1,
  eps: float = 1e-5,
) {
  assert(len(S) >= 2, "batch_norm takes [N, C, ...], not rank " + len(S) + " (shape " + S + ")")
  let untracked = running_mean == none || running_var == none
  assert(training || !untracked, "batch_norm needs running statistics when it is not training")
  for p in [running_mean, running_var, weight, bias] {
    if p != none {
      assert(
        size(p, 0) == S[1],
        "batch_norm: a parameter has " + size(p, 0) + " numbers for " + S[1] + " channels",
      )
    }
  }
  let axes = [0] + [i for i in 2..len(S)]
  let along = [1, -1] + [1 for i in 2..len(S)]
  if training {
    let n = reduced_size(input, axes)
    assert(
      n != 1,
      "batch_norm needs more than 1 value for each of the " + S[1] + " channels when training",
    )
    let (variance, average) = var_mean(input, axes, false, true)
    let output = _affine(_normalise(input, axes, eps), weight, bias)
    if untracked {
      output
    } else {
      let unbiased = stop_gradient(reshape(variance, [-1])) * (n / (n - 1))
      let new_mean =
        (1 - momentum) * running_mean + momentum * stop_gradient(reshape(average, [-1]))
      (output, new_mean, (1 - momentum) * running_var + momentum * unbiased)
    }
  } else {
    let output = _affine(
      _standardise(input, reshape(running_mean, along), reshape(running_var, along), eps),
      weight,
      bias,
    )
    (output, running_mean, running_var)
  }
}

## Normalisation over the last axes, whose sizes are `normalized_shape` (Ba et al. 2016).
fn layer_norm[T: float](
  input: T[*S],
  normalized_shape: [int],
  weight: T[*N]? = none,
  bias: T[*N]? = none,
  eps: float = 1e-5,
) -> T[*S] {
  assert(len(normalized_shape) > 0, "layer_norm: the normalized_shape has at least one size")
  let first = len(S) - len(normalized_shape)
  assert(
    first >= 0 && S[first:] == normalized_shape,
    "layer_norm: the input of shape " + S + " does not end in " + normalized_shape,
  )
  for p in [weight, bias] {
    if p != none {
      check_sizes(
        p.shape,
        normalized_shape,
        "layer_norm: weight and bias have the normalized shape " +
          normalized_shape +
          ", not " +
          p.shape,
      )
    }
  }
  let output = _normalise(input, [i for i in first..len(S)], eps)
  let scaled = if weight == none { output } else { output * weight }
  if bias == none { scaled } else { scaled + bias }
}

## Normalisation of each sample over `num_groups` groups of channels (Wu and He 2018).
fn group_norm[T: float](
  input: T[*S],
  num_groups: int,
  weight: T[_]? = none,
  bias: T[_]? = none,
  eps: float = 1e-5,
) -> T[*S] {
  assert(len(S) >= 2, "group_norm takes [N, C, ...], not " + S)
  check_least(num_groups, 1, "group_norm: num_groups")
  for p in [weight, bias] {
    if p != none {
      assert(
        size(p, 0) == S[1],
        "group_norm: a parameter has " + size(p, 0) + " numbers for " + S[1] + " channels",
      )
    }
  }
  assert(
    S[1] % num_groups == 0,
    "group_norm: " + num_groups + " groups do not divide the " + S[1] + " channels",
  )
  let grouped = reshape(input, [S[0], num_groups, S[1] // num_groups * product_of(S[2:])])
  _affine(reshape(_normalise(grouped, [2], eps), S), weight, bias)
}

## Normalisation of each channel of each sample (Ulyanov et al. 2016), or by running statistics where `use_input_stats` is false.
fn instance_norm[T: float](
  input: T[*S],
  running_mean: T[_]? = none,
  running_var: T[_]? = none,
  weight: T[_]? = none,
  bias: T[_]? = none,
  use_input_stats: bool = true,
  momentum: float = 0.1,
  eps: float = 1e-5,
) -> T[*S] {
  assert(
    len(S) >= 3,
    "instance_norm takes [N, C, L, ...], not rank " + len(S) + " (shape " + S + ")",
  )
  for p in [running_mean, running_var, weight, bias] {
    if p != none {
      assert(
        size(p, 0) == S[1],
        "instance_norm: a parameter has " + size(p, 0) + " numbers for " + S[1] + " channels",
      )
    }
  }
  if use_input_stats {
    assert(
      product_of(S[2:]) != 1,
      "instance_norm needs more than 1 value for each channel of a sample, not the shape " + S,
    )
    _affine(_normalise(input, [i for i in 2..len(S)], eps), weight, bias)
  } else {
    assert(
      running_mean != none && running_var != none,
      "instance_norm needs running_mean and running_var where use_input_stats is false",
    )
    let along = [1, -1] + [1 for i in 2..len(S)]
    _affine(
      _standardise(input, reshape(running_mean, along), reshape(running_var, along), eps),
      weight,
      bias,
    )
  }
}

## Divides by `(k + alpha / size * sum of squares over size neighbouring channels) ** beta` (Krizhevsky et al. 2012).
fn local_response_norm[T: float](
  input: T[*S],
  size: int,
  alpha: float = 1e-4,
  beta: float = 0.75,
  k: float = 1.0,
) -> T[*S] {
  assert(len(S) >= 3, "local_response_norm takes [N, C, L, ...], not " + S)
  check_least(size, 1, "local_response_norm: the size")
  let around = [0 for i in 0..2 * (len(S) - 2)] + [size // 2, (size - 1) // 2]
  let squares = pad(input * input, around)
  let total = 0
  for i in 0..size { total = total + narrow(squares, 1, i, S[1]) }
  input / (k + alpha * (total / size)) ** beta
}

## Divided by the p-norm along `dim`, or by `eps` where that is smaller.
fn normalize[T: float](
  input: T[*S],
  p: float = 2.0,
  dim: int | [int] = 1,
  eps: float = 1e-12,
) -> T[*S] = input / clamp(norm(input, p, dim, true), min: eps)
