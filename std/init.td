tdsl 1
# Initialisers. Each takes the size of the new tensor; as the initial value of a `param` the size and dtype are those declared:
# `param weight: f32[n, m] = xavier_uniform(gain: 2.0)`.

## `value` everywhere.
fn constant(size: [dim], value: float, dtype: dtype = real) -> tensor = full(size, value, dtype)

## Inputs that feed one unit: the second axis times the receptive field.
fn fan_in(size: [dim]) -> int {
  assert(
    len(size) >= 2,
    "fan in and fan out need at least 2 axes, not the " + len(size) + " of shape " + size,
  )
  let fan = size[1]
  for n in size[2:] { fan = fan * n }
  fan
}

## Units that one input feeds: the first axis times the receptive field.
fn fan_out(size: [dim]) -> int {
  assert(
    len(size) >= 2,
    "fan in and fan out need at least 2 axes, not the " + len(size) + " of shape " + size,
  )
  let fan = size[0]
  for n in size[2:] { fan = fan * n }
  fan
}

## The factor by which a nonlinearity shrinks the standard deviation (PyTorch's table).
fn calculate_gain(nonlinearity: string, param: float? = none) -> float {
  if nonlinearity == "relu" {
    1.4142135623730951
  } else if nonlinearity == "tanh" {
    5.0 / 3.0
  } else if nonlinearity == "leaky_relu" {
    (2.0 / (1.0 + (if param == none { 0.01 } else { param }) ** 2)) ** 0.5
  } else if nonlinearity == "selu" {
    0.75
  } else {
    assert(
      nonlinearity == "linear" ||
        nonlinearity == "sigmoid" ||
        nonlinearity == "conv1d" ||
        nonlinearity == "conv2d" ||
        nonlinearity == "conv3d" ||
        nonlinearity == "conv_transpose1d" ||
        nonlinearity == "conv_transpose2d" ||
        nonlinearity == "conv_transpose3d",
      "no gain is known for the nonlinearity \"" + nonlinearity + "\"",
    )
    1.0
  }
}

## Glorot and Bengio 2010: uniform with variance `gain² · 2 / (fan_in + fan_out)`.
fn xavier_uniform(size: [dim], gain: float = 1.0, dtype: dtype = real) -> tensor {
  let bound = gain * (6.0 / (fan_in(size) + fan_out(size))) ** 0.5
  uniform(size, -bound, bound, dtype)
}

## Glorot and Bengio 2010: normal with variance `gain² · 2 / (fan_in + fan_out)`.
fn xavier_normal(size: [dim], gain: float = 1.0, dtype: dtype = real) -> tensor =
  normal(0.0, gain * (2.0 / (fan_in(size) + fan_out(size))) ** 0.5, size, dtype)

fn _kaiming_std(size: [dim], a: float, mode: string, nonlinearity: string) -> float {
  check_word(mode, ["fan_in", "fan_out"], "mode is \"fan_in\" or \"fan_out\"")
  let fan = if mode == "fan_in" { fan_in(size) } else { fan_out(size) }
  calculate_gain(nonlinearity, a) / fan ** 0.5
}

## He et al. 2015: uniform with standard deviation `gain / sqrt(fan)`.
fn kaiming_uniform(
  size: [dim],
  a: float = 0.0,
  mode: string = "fan_in",
  nonlinearity: string = "leaky_relu",
  dtype: dtype = real,
) -> tensor {
  let bound = 3.0 ** 0.5 * _kaiming_std(size, a, mode, nonlinearity)
  uniform(size, -bound, bound, dtype)
}

## He et al. 2015: normal with standard deviation `gain / sqrt(fan)`.
fn kaiming_normal(
  size: [dim],
  a: float = 0.0,
  mode: string = "fan_in",
  nonlinearity: string = "leaky_relu",
  dtype: dtype = real,
) -> tensor = normal(0.0, _kaiming_std(size, a, mode, nonlinearity), size, dtype)

## The inverse of `erf`: Winitzki's approximation (2008), refined by two of Halley's steps. ±1 give ±inf, numbers beyond them nan.
fn erfinv[T: float](input: T[*S]) -> T[*S] {
  let inside = where(abs(input) < 1, input, 0)
  let l = log1p(-inside * inside)
  let h = 4.330746750799873 + l / 2
  let y = sign(inside) * sqrt(sqrt(h * h - l / 0.147) - h)
  for step in 0..2 {
    let e = 0.8862269254527580 * (erf(y) - inside) * exp(y * y)
    y = y - e / (1 + y * e)
  }
  where(abs(input) < 1, y, where(abs(input) == 1, input * inf, nan))
}
  derivative (dinput) => 0.8862269254527580 * exp(result * result) * dinput

## Normal, cut off at `a` and `b`: the inverse of the distribution function at uniform draws; also an initialiser.
fn trunc_normal(
  size: [dim],
  mean: float = 0.0,
  std: float = 1.0,
  a: float = -2.0,
  b: float = 2.0,
  dtype: dtype = real,
  key: key? = none,
) -> tensor {
  assert(a < b, "trunc_normal: a is less than b, not " + a + " with b " + b)
  check_least(std, 0, "trunc_normal: the standard deviation")
  let wide = if dtype == f64 { f64 } else { f32 }
  let scale = std * 2.0 ** 0.5
  let low = cast(erf(tensor((a - mean) / scale, dtype: f64)), wide)
  let high = cast(erf(tensor((b - mean) / scale, dtype: f64)), wide)
  let normal = mean + scale * erfinv(low + (high - low) * rand(size, wide, key))
  cast(clamp(normal, a, b), dtype)
}
