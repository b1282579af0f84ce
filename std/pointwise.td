tdsl 1
# Operations on each element that the elementary ones can say, and PyTorch's named forms of the operators.
#
# A branch that is not taken is computed on a harmless operand, because the derivative of `where` must not multiply 0 by infinity.

## `input + alpha * other`.
fn add(input: tensor, other: tensor, alpha: int | float = 1) -> tensor {
  _check_alpha(input, other, alpha)
  if alpha == 1 { input + other } else { input + alpha * other }
}

fn _check_alpha(input: tensor, other: tensor, alpha: int | float) {
  assert(
    is_floating_point(input + other) || !is_floating_point(alpha * other),
    "alpha of integers is an integer, not " + alpha,
  )
}

## `input - alpha * other`.
fn sub(input: tensor, other: tensor, alpha: int | float = 1) -> tensor {
  _check_alpha(input, other, alpha)
  if alpha == 1 { input - other } else { input - alpha * other }
}

## `input * other`.
fn mul(input: tensor, other: tensor) -> tensor = input * other

## The quotient: exact, or rounded by `rounding_mode` `"floor"` or `"trunc"` (towards zero). Rounded quotients of integers are integers.
fn div(input: tensor, other: tensor, rounding_mode: string? = none) -> tensor {
  if rounding_mode == none {
    input / other
  } else if rounding_mode == "floor" {
    input // other
  } else {
    check_word(rounding_mode, ["trunc"], "div: rounding_mode is none, \"floor\" or \"trunc\"")
    trunc_div(input, other)
  }
}

## `input ** exponent`.
fn pow(input: tensor, exponent: tensor) -> tensor = input ** exponent

## `input + value * tensor1 / tensor2`.
fn addcdiv(input: tensor, tensor1: tensor, tensor2: tensor, value: int | float = 1) -> tensor =
  input + value * (tensor1 / tensor2)

## `input + value * tensor1 * tensor2`.
fn addcmul(input: tensor, tensor1: tensor, tensor2: tensor, value: int | float = 1) -> tensor =
  input + value * (tensor1 * tensor2)

## Raised to `min` and then lowered to `max`. NaN stays; the derivative is 1 at the bounds. A bound that is NaN gives NaN.
fn clamp(input: tensor, min: tensor? = none, max: tensor? = none) -> tensor {
  assert(!(min == none && max == none), "clamp needs a min or a max")
  let raised = if min == none { input } else { where(input < min || isnan(min), min, input) }
  if max == none { raised } else { where(raised > max || isnan(max), max, raised) }
}

## The fraction that `trunc` takes away, with the sign of `input`.
fn frac(input: tensor) -> tensor = input - trunc(input)

## `sqrt(input² + other²)`, without overflow in between.
fn hypot(input: tensor, other: tensor) -> tensor {
  let larger = stop_gradient(maximum(abs(input), abs(other)))
  let scale = where(larger > 0 && larger < inf, larger, 1)
  let length = scale * sqrt(square(input / scale) + square(other / scale))
  where(isinf(input) || isinf(other), inf, length)
}

## `input + weight * (end - input)`.
fn lerp(input: tensor, end: tensor, weight: tensor) -> tensor = input + weight * (end - input)

## `log(exp(input) + exp(other))`, without overflow.
fn logaddexp(input: tensor, other: tensor) -> tensor {
  let larger = maximum(input, other)
  # Of two equal infinities the difference is NaN, and the sum is the infinity itself.
  let gap = where(isinf(input) && input == other, 0, abs(input - other))
  larger + log1p(exp(-gap))
}

## Rounded to `decimals` places, halves to even. Negative `decimals` round before the point.
fn round(input: tensor, decimals: int = 0) -> tensor {
  if decimals == 0 || !is_floating_point(input) {
    round_half_even(input)
  } else if decimals > 0 {
    round_half_even(input * 10.0 ** decimals) / 10.0 ** decimals
  } else {
    round_half_even(input / 10.0 ** -decimals) * 10.0 ** -decimals
  }
}

## `input * input`; of bools an i64.
fn square(input: tensor) -> tensor =
  if input.dtype == bool { cast(input, i64) } else { input * input }

## `input * log(other)`: 0 where `input` is 0, NaN where `other` is NaN.
fn xlogy(input: tensor, other: tensor) -> tensor {
  # Where the logarithm is not finite it must not meet the zero; elsewhere it is the derivative by `input`.
  let vanishes = input == 0 && (other <= 0 || other == inf)
  let finite = where(vanishes, 0, input * log(where(vanishes, 1, other)))
  # A number without axes does not widen the others, although the condition gives it theirs.
  cast(finite, (input * log(other)).dtype)
}

## The same value.
fn clone(input: tensor) -> tensor = input

## The same value, without its derivative.
fn detach(input: tensor) -> tensor = stop_gradient(input)
