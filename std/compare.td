tdsl 1
# Comparisons of floats with tolerance, and of whole tensors.

## Whether an element is infinite, of either sign.
fn isinf(input: tensor) -> tensor = abs(input) == inf

## Whether an element is neither infinite nor NaN.
fn isfinite(input: tensor) -> tensor = abs(input) < inf

## `|input - other| <= atol + rtol * |other|`. Equal infinities are close; NaN is close to NaN with `equal_nan`.
fn isclose(
  input: tensor,
  other: tensor,
  rtol: float = 1e-5,
  atol: float = 1e-8,
  equal_nan: bool = false,
) -> tensor {
  let gap = abs(input - other)
  let close = input == other || (isfinite(gap) && gap <= atol + rtol * abs(other))
  if equal_nan { close || (isnan(input) && isnan(other)) } else { close }
}

## Whether all elements are close, see `isclose`.
fn allclose(
  input: tensor,
  other: tensor,
  rtol: float = 1e-5,
  atol: float = 1e-8,
  equal_nan: bool = false,
) -> tensor = all(isclose(input, other, rtol, atol, equal_nan))

## Whether shapes and all elements are equal.
fn equal(input: tensor, other: tensor) -> tensor =
  if input.shape == other.shape { all(input == other) } else { full([], false) }
