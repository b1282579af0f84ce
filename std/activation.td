tdsl 1
# Activation functions, with PyTorch's names, parameters and one-sided derivatives at kinks.
#
# A branch that would overflow is computed on a clamped operand, because the derivative of `where` must not multiply 0 by infinity. What has several
# steps is computed in f32 where the elements have 16 bits, and rounded once.

## `x` where positive, else `alpha * (exp(x / alpha) - 1)` (Barron 2017).
fn celu[T: float](input: T[*S], alpha: float = 1.0) -> T[*S] {
  assert(alpha != 0, "celu divides by alpha, which is 0")
  let x = widened(input)
  let negative = where(x <= 0, x, 0)
  cast(where(x <= 0, alpha * expm1(negative / alpha), x), input.dtype)
}

## `x` where positive, else `alpha * (exp(x) - 1)` (Clevert et al. 2015).
fn elu[T: float](input: T[*S], alpha: float = 1.0) -> T[*S] {
  let x = widened(input)
  let negative = where(x <= 0, x, 0)
  cast(where(x <= 0, alpha * expm1(negative), x), input.dtype)
}

## Self-normalising ELU with the constants of Klambauer et al. 2017.
fn selu[T: float](input: T[*S]) -> T[*S] {
  let y = elu(widened(input), alpha: 1.6732632423543772848170429916717)
  cast(1.0507009873554804934193349852946 * y, input.dtype)
}

## `x * Φ(x)` with Φ the normal distribution's cumulative function, or its `"tanh"` approximation (Hendrycks and Gimpel 2016).
fn gelu[T: float](input: T[*S], approximate: string = "none") -> T[*S] {
  check_word(approximate, ["none", "tanh"], "gelu: approximate is \"none\" or \"tanh\"")
  let x = widened(input)
  let y = if approximate == "tanh" {
    0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
  } else {
    0.5 * x * (1 + erf(x * 0.7071067811865476))
  }
  cast(y, input.dtype)
}

## The first half along `dim` times the sigmoid of the second half (Dauphin et al. 2016).
fn glu[T: float](input: T[*S], dim: int = -1) -> tensor {
  let n = size(input, dim)
  assert(n % 2 == 0, "glu halves an axis, so its size is even, not " + n)
  let x = widened(input)
  cast(narrow(x, dim, 0, n // 2) * sigmoid(narrow(x, dim, n // 2, n // 2)), input.dtype)
}

## 0 where `|x| <= lambd`, else `x`.
fn hardshrink[T: float](input: T[*S], lambd: float = 0.5) -> T[*S] =
  where((input >= -lambd) && (input <= lambd), 0, input)

## `min(max(x + 3, 0), 6) / 6`; the derivative is 0 at both kinks.
fn hardsigmoid[T: float](input: T[*S]) -> T[*S] {
  let x = widened(input)
  cast(where(x <= -3, 0, where(x >= 3, 1, (x + 3) / 6)), input.dtype)
}

## `x * hardsigmoid(x)` (Howard et al. 2019).
fn hardswish[T: float](input: T[*S]) -> T[*S] {
  let x = widened(input)
  cast(x * clamp(x + 3, min: 0, max: 6) / 6, input.dtype)
}

## Clamped to `min_val … max_val`; the derivative is 0 at both bounds.
fn hardtanh[T: number](input: T[*S], min_val: float = -1.0, max_val: float = 1.0) -> T[*S] {
  let (low, high) = (cast(min_val, input.dtype), cast(max_val, input.dtype))
  where(input <= low, low, where(input >= high, high, input))
}

## `x` where positive, else `negative_slope * x`.
fn leaky_relu[T: float](input: T[*S], negative_slope: float = 0.01) -> T[*S] =
  where(input > 0, input, negative_slope * input)

## `log(softmax(x))` along `dim`, without overflow.
fn log_softmax[T: float](input: T[*S], dim: int) -> T[*S] =
  if is_empty(input) {
    input
  } else {
    let x = widened(input)
    let shifted = x - stop_gradient(amax(x, dim, keepdim: true))
    cast(shifted - log(sum(exp(shifted), dim, keepdim: true)), input.dtype)
  }

## `log(sigmoid(x))`, without overflow.
fn logsigmoid[T: float](input: T[*S]) -> T[*S] {
  let x = widened(input)
  cast(minimum(x, 0) - log1p(exp(-abs(x))), input.dtype)
}

## `x * tanh(softplus(x))` (Misra 2019).
fn mish[T: float](input: T[*S]) -> T[*S] {
  let x = widened(input)
  cast(x * tanh(softplus(x)), input.dtype)
}

## `x` where positive, else `weight * x`; `weight` has one value, or one for each channel (axis 1).
fn prelu[T: float](input: T[*S], weight: T[_]) -> T[*S] {
  let slope = if ndim(input) == 0 {
    reshape(weight, [])
  } else if size(weight, 0) == 1 || ndim(input) < 2 {
    weight
  } else {
    reshape(weight, [1, -1] + [1 for i in 2..ndim(input)])
  }
  where(input > 0, input, slope * input)
}

## Clamped to 0 … 6; the derivative is 0 at both bounds.
fn relu6[T: number](input: T[*S]) -> T[*S] = hardtanh(input, 0.0, 6.0)

## `x * sigmoid(x)`, also called swish.
fn silu[T: float](input: T[*S]) -> T[*S] {
  let x = widened(input)
  cast(x * sigmoid(x), input.dtype)
}

## `exp(x) / sum(exp(x))` along `dim`, without overflow. A slice of all -inf gives nan, as in PyTorch.
fn softmax[T: float](input: T[*S], dim: int) -> T[*S] =
  if is_empty(input) {
    input
  } else {
    let x = widened(input)
    let e = exp(x - stop_gradient(amax(x, dim, keepdim: true)))
    cast(e * (1 / sum(e, dim, keepdim: true)), input.dtype)
  }
  derivative (dinput) => {
    let (y, dx) = (widened(result), widened(dinput))
    cast(y * (dx - sum(y * dx, dim, keepdim: true)), result.dtype)
  }

## `softmax(-x)`.
fn softmin[T: float](input: T[*S], dim: int) -> T[*S] = softmax(-input, dim)

## `log(1 + exp(beta * x)) / beta`, and `x` where `beta * x > threshold`.
fn softplus[T: float](input: T[*S], beta: float = 1.0, threshold: float = 20.0) -> T[*S] {
  let x = widened(input)
  let scaled = where(x * beta > threshold, 0, x * beta)
  cast(where(x * beta > threshold, x, log1p(exp(scaled)) / beta), input.dtype)
}
  derivative (dinput) => {
    let (x, dx) = (widened(input), widened(dinput))
    cast(where(x * beta > threshold, 1, sigmoid(x * beta)) * dx, input.dtype)
  }

## `x - lambd` above `lambd`, `x + lambd` below `-lambd`, else 0.
fn softshrink[T: float](input: T[*S], lambd: float = 0.5) -> T[*S] {
  assert(lambd >= 0, "softshrink: lambd is not negative, but " + lambd)
  where(input > lambd, input - lambd, where(input < -lambd, input + lambd, 0))
}

## `x / (1 + |x|)`.
fn softsign[T: float](input: T[*S]) -> T[*S] = input / (1 + abs(input))

## `x - tanh(x)`.
fn tanhshrink[T: float](input: T[*S]) -> T[*S] = input - tanh(input)

## `x` above the threshold, else `value`.
fn threshold[T: number](input: T[*S], threshold: float, value: float) -> T[*S] =
  where(input <= cast(threshold, input.dtype), cast(value, input.dtype), input)
