tdsl 1
# Reductions composed of the built-in ones (`sum prod amax amin any all argmax argmin max_with_index min_with_index`).

## Floats of 16 bits as f32, others as they are. What has several steps is computed in these and rounded once, as in PyTorch.
fn widened(input: tensor) -> tensor =
  if input.dtype == f16 || input.dtype == bf16 { cast(input, f32) } else { input }

## The arithmetic mean; NaN of no elements.
fn mean[T: float](input: T[*S], dim: (int | [int])? = none, keepdim: bool = false) -> tensor =
  sum(input, dim, keepdim) / reduced_size(input, dim)

## The largest element, its gradient shared among equal ones; with `dim` (values, indices), the first index of equal elements.
fn max(input: tensor, dim: int? = none, keepdim: bool = false) =
  if dim == none { amax(input) } else { max_with_index(input, dim, keepdim) }

## The smallest element, its gradient shared among equal ones; with `dim` (values, indices), the first index of equal elements.
fn min(input: tensor, dim: int? = none, keepdim: bool = false) =
  if dim == none { amin(input) } else { min_with_index(input, dim, keepdim) }

## The sum, with NaN counted as 0.
fn nansum(input: tensor, dim: (int | [int])? = none, keepdim: bool = false) -> tensor =
  sum(where(isnan(input), 0, input), dim, keepdim)

## How many elements are not 0.
fn count_nonzero(input: tensor, dim: (int | [int])? = none) -> tensor =
  sum(cast(input != 0, i64), dim)

## `log(sum(exp(input)))`, without overflow.
fn logsumexp(input: tensor, dim: int | [int], keepdim: bool = false) -> tensor {
  if !is_floating_point(input) {
    logsumexp(cast(input, real), dim, keepdim)
  } else if is_empty(input) {
    # No elements have no largest one, and their sum is 0.
    log(sum(input, dim, keepdim))
  } else {
    let x = widened(input)
    let largest = stop_gradient(amax(x, dim, keepdim: true))
    # Infinities are left to `log` and `exp`: subtracting one from itself would give NaN.
    let shift = where(abs(largest) == inf, 0, largest)
    let total = cast(log(sum(exp(x - shift), dim, keepdim: true)) + shift, input.dtype)
    if keepdim { total } else { squeeze_axes(total, dim) }
  }
}
