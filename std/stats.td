tdsl 1
# Statistics and orders. NaN counts as larger than every number.

## The variance, with n - 1 in the denominator where `unbiased`; NaN where that is 0.
fn var[T: float](
  input: T[*S],
  dim: (int | [int])? = none,
  unbiased: bool = true,
  keepdim: bool = false,
) -> tensor = var_mean(input, dim, unbiased, keepdim)[0]

## The standard deviation; its derivative is 0 where it is 0.
fn std[T: float](
  input: T[*S],
  dim: (int | [int])? = none,
  unbiased: bool = true,
  keepdim: bool = false,
) -> tensor = safe_root(var(input, dim, unbiased, keepdim), 2.0)

## (variance, mean), computed in two passes.
fn var_mean[T: float](
  input: T[*S],
  dim: (int | [int])? = none,
  unbiased: bool = true,
  keepdim: bool = false,
) {
  let n = reduced_size(input, dim)
  let axes = if dim == none { [] } else { dim }
  let x = widened(input)
  let center = mean(x, axes, true)
  let squares = sum(square(x - center), axes, true)
  let average = cast(center, input.dtype)
  let variance = cast(squares / (if unbiased { maximum(n - 1, 0) } else { n }), input.dtype)
  if keepdim {
    (variance, average)
  } else {
    (squeeze_axes(variance, axes), squeeze_axes(average, axes))
  }
}

## `input ** (1 / p)` of numbers that are not negative, with derivative 0 at 0.
fn safe_root[T: float](input: T[*S], p: float) -> T[*S] {
  let safe = where(input == 0, 1, input)
  where(input == 0, 0, if p == 2.0 { sqrt(safe) } else { safe ** (1.0 / p) })
}

## The p-norm `(sum |x|^p)^(1/p)`: `inf` and `-inf` are the largest and smallest size, 0 counts what is not 0, `"fro"` is 2. The derivative at 0 is 0.
fn norm[T: float](
  input: T[*S],
  p: float | string = "fro",
  dim: (int | [int])? = none,
  keepdim: bool = false,
) -> tensor {
  assert(!is_string(p) || p == "fro", "norm: p is a number or \"fro\"")
  let axes = if dim == none { [] } else { dim }
  if is_string(p) || p == 2.0 {
    safe_root(sum(input * input, dim, keepdim), 2.0)
  } else if p == 1.0 {
    sum(abs(input), dim, keepdim)
  } else if p == inf && is_empty(input) {
    sum(input, dim, keepdim)
  } else if p == inf {
    amax(abs(input), axes, keepdim)
  } else if p == -inf {
    amin(abs(input), axes, keepdim)
  } else if p == 0.0 {
    cast(sum(input != 0, dim, keepdim), input.dtype)
  } else {
    let powers = where(
      input == 0,
      if p > 0.0 { 0 } else { inf },
      abs(where(input == 0, 1, input)) ** p,
    )
    safe_root(sum(powers, dim, keepdim), p)
  }
}

## The elements along `dim` in order, and their positions before; equal ones keep their order, with `stable` or without.
fn sort(input: tensor, dim: int = -1, descending: bool = false, stable: bool = false) {
  let index = argsort(input, dim, descending)
  (if ndim(input) == 0 { input } else { gather(input, dim, index) }, index)
}

## The size of an axis; a number counts as an axis of one element.
fn _length(input: tensor, dim: int) -> dim = if ndim(input) == 0 { 1 } else { size(input, dim) }

## The `k` largest (or smallest) elements along `dim`, in order, and their positions.
fn topk(input: tensor, k: int, dim: int = -1, largest: bool = true, sorted: bool = true) {
  assert(
    k >= 0 && k <= _length(input, dim),
    "topk: k = " + k + " is outside [0, " + _length(input, dim) + "]",
  )
  if ndim(input) == 0 {
    if k == 1 { (input, zeros([], i64)) } else { (reshape(input, [1])[:0], zeros([0], i64)) }
  } else {
    let indices = narrow(argsort(input, dim, largest), dim, 0, k)
    (gather(input, dim, indices), indices)
  }
}

## The k-th smallest element along `dim`, and its position.
fn kthvalue(input: tensor, k: int, dim: int = -1, keepdim: bool = false) {
  assert(
    k >= 1 && k <= _length(input, dim),
    "kthvalue: k = " + k + " is outside [1, " + _length(input, dim) + "]",
  )
  _at_place(input, k - 1, dim, keepdim)
}

## What stands at a place, counted from 0, among the elements along `dim` in order, and its position before.
fn _at_place(input: tensor, place: dim, dim: int, keepdim: bool) {
  if ndim(input) == 0 {
    sort(input, dim)
  } else {
    let index = narrow(argsort(input, dim), dim, place, 1)
    let value = gather(input, dim, index)
    if keepdim { (value, index) } else { (squeeze_axes(value, dim), squeeze_axes(index, dim)) }
  }
}

## The lower of the two middle elements, NaN where there is one or none at all, its gradient shared among equal ones; with `dim` (values, indices).
fn median(input: tensor, dim: int? = none, keepdim: bool = false) {
  if dim != none {
    _median(input, dim, keepdim)
  } else if is_empty(input) && is_floating_point(input) {
    mean(input)
  } else {
    let middle = _median(flatten(input), 0, false)[0]
    if is_floating_point(input) {
      amax(where(input == middle || isnan(input), input, -inf))
    } else {
      middle
    }
  }
}

fn _median(input: tensor, dim: int, keepdim: bool) {
  let n = _length(input, dim)
  assert(n >= 1, "median of no elements has no value")
  let middle = _at_place(input, (n - 1) // 2, dim, true)[1]
  let missing = isnan(input)
  let index = where(any(missing, dim, true), argmax(cast(missing, i64), dim, true), middle)
  let value = gather(input, dim, index)
  if keepdim { (value, index) } else { (squeeze_axes(value, dim), squeeze_axes(index, dim)) }
}

## Quantiles by linear interpolation between neighbours; the axis of `q` comes first. Where there is a NaN, it is that NaN.
fn quantile[T: float](input: T[*S], q: tensor, dim: int? = none, keepdim: bool = false) -> tensor {
  assert_known(q >= 0 && q <= 1, "quantile: q is between 0 and 1", of: q)
  let x = if dim == none { flatten(input) } else { movedim(input, dim, -1) }
  let n = size(x, -1)
  let ordered = sort(x, -1)[0]
  let place = cast(q, input.dtype) * (n - 1)
  let low = cast(floor(place), i64)
  let high = cast(ceil(place), i64)
  let between = lerp(ordered[..., low], ordered[..., high], place - floor(place))
  # NaN are in order behind all numbers.
  let last = ordered[..., -1]
  let values = if ndim(q) == 0 {
    where(isnan(last), last, between)
  } else {
    let last = unsqueeze(last, -1)
    movedim(where(isnan(last), last, between), -1, 0)
  }
  if !keepdim {
    values
  } else if dim == none {
    reshape(values, values.shape + [1 for n in S])
  } else {
    unsqueeze(values, axis_of(dim, len(S)) + ndim(q))
  }
}

## How many elements fall into each of `bins` equal intervals from `min` to `max`, both included; 0 and 0 take the range of the data.
fn histc[T: float](input: T[*S], bins: int = 100, min: float = 0.0, max: float = 0.0) -> T[_] {
  check_least(bins, 1, "histc: the number of bins")
  assert(min <= max, "histc: the max " + max + " is smaller than the min " + min)
  if is_empty(input) {
    zeros([bins], input.dtype)
  } else {
    _histogram(flatten(input), bins, min, max)
  }
}

fn _histogram(x: tensor, bins: int, min: float, max: float) -> tensor {
  let whole = min == max
  let low = if whole { amin(x) } else { cast(min, x.dtype) }
  let high = if whole { amax(x) } else { cast(max, x.dtype) }
  # A range without extent is widened by 1 on both sides.
  let first = where(low == high, low - 1, low)
  let last = where(low == high, high + 1, high)
  let inside = x >= first && x <= last
  let bin = minimum(floor((x - first) / (last - first) * bins), bins - 1)
  sum(cast(inside && bin == unsqueeze(cast(arange(end: bins), x.dtype), 1), x.dtype), 1)
}
