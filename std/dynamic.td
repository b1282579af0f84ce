tdsl 1
# Results whose size depends on the data. With `size` the result has that size: what there is comes first, `fill_value` follows, and a count says how much
# there is, which may be more. Without it the size is part of the type, so the data are known when compiling.

## The positions of the first `size` true elements of a vector, with 0 behind them, and how many are true.
fn _first_true(mask: tensor, size: dim) {
  let rank = cumsum(cast(mask, i64), 0) - 1
  # What there is no room for goes to a place behind the last, which is cut off.
  let place = where(mask && rank < size, rank, size)
  let found = scatter(zeros([size + 1], i64), 0, place, arange(end: numel(mask)))
  (found[:size], sum(mask))
}

## The elements of a vector of `size` below the count, and `fill_value` in the other places.
fn _filled(values: tensor, count: tensor, fill_value: number) -> tensor =
  where(arange(end: values.shape[0]) < count, values, cast(fill_value, values.dtype))

## The positions of the elements that are not 0, in row-major order: [n, rank], or with `as_tuple` a vector for each axis. With `size` (positions, count).
fn nonzero(input: tensor, as_tuple: bool = false, size: dim? = none, fill_value: int = 0) {
  if as_tuple && ndim(input) == 0 {
    nonzero(unsqueeze(input, 0), true, size, fill_value)
  } else if size == none {
    known_nonzero(input, as_tuple)
  } else {
    let mask = flatten(input) != 0
    let (places, count) = _first_true(mask, size)
    let rank = ndim(input)
    let axes = [
      _filled(places // product_of(input.shape[i + 1:]) % input.shape[i], count, fill_value)
      for i in 0..rank
    ]
    let positions = if as_tuple {
      tuple(axes)
    } else if rank == 0 {
      zeros([size, 0], i64)
    } else {
      stack(axes, 1)
    }
    (positions, count)
  }
}

## The elements where the mask, which broadcasts with the input, is true, as a vector. With `size` (elements, count).
fn masked_select(input: tensor, mask: tensor, size: dim? = none, fill_value: number = 0) {
  assert(mask.dtype == bool, "masked_select: the mask is a tensor of bools, not of " + mask.dtype)
  let sizes = (input + cast(mask, input.dtype)).shape
  let (x, chosen) = (expand(input, sizes), expand(mask, sizes))
  if size == none {
    x[chosen]
  } else {
    let (places, count) = _first_true(flatten(chosen), size)
    (_filled(flatten(x)[places], count, fill_value), count)
  }
}

## The different elements, ascending, NaN as many times as it occurs: a tensor, or (elements, inverse, counts) as asked. `inverse` has for each element of the input the place
## among them, `counts` how often each occurs. With `size` the count of different elements is the last result.
fn unique(
  input: tensor,
  sorted: bool = true,
  return_inverse: bool = false,
  return_counts: bool = false,
  size: dim? = none,
  fill_value: number = 0,
) {
  let x = flatten(input)
  let i = arange(end: numel(input))
  let (ordered, order) = sort(x)
  let is_first = i == 0 || ordered != ordered[maximum(i - 1, 0)]
  let group = cumsum(cast(is_first, i64), 0) - 1
  let (starts, count) = if size == none {
    (known_nonzero(is_first, true)[0], none)
  } else {
    _first_true(is_first, size)
  }
  let found = ordered[starts]
  let values = if size == none { found } else { _filled(found, count, fill_value) }
  let k = starts.shape[0]
  let inverse = if return_inverse {
    [reshape(scatter(group, 0, order, group), input.shape)]
  } else {
    []
  }
  let counts = if return_counts {
    [scatter_add(zeros([k + 1], i64), 0, minimum(group, k), ones([numel(input)], i64))[:k]]
  } else {
    []
  }
  let results = [values] + inverse + counts + (if size == none { [] } else { [count] })
  if len(results) == 1 { values } else { tuple(results) }
}

## How often each integer occurs in a vector, or the sum of the weights where it does: of 0 up to the largest, at least `minlength` numbers. With `size` that many;
## larger integers are not counted.
fn bincount(
  input: tensor,
  weights: tensor? = none,
  minlength: int = 0,
  size: dim? = none,
) -> tensor {
  assert(
    ndim(input) == 1 && !is_floating_point(input),
    "bincount takes a vector of integers, not " + input.dtype + " of shape " + input.shape,
  )
  assert(minlength >= 0, "bincount: minlength is not negative, but " + minlength)
  assert_known(input >= 0, "bincount takes integers that are not negative", input)
  let values = cast(input, i64)
  let length = if size == none { _bins(values, minlength) } else { size }
  let amounts = if weights == none {
    ones(input.shape, i64)
  } else if weights.dtype == f32 {
    weights
  } else {
    cast(weights, f64)
  }
  assert(
    ndim(amounts) == 1 && amounts.shape[0] == input.shape[0],
    "bincount takes a weight for each of " +
      input.shape[0] +
      " integers, not weights of shape " +
      amounts.shape,
  )
  let bin = where(values >= 0 && values < length, values, length)
  scatter_add(zeros([length + 1], amounts.dtype), 0, bin, amounts)[:length]
}

## One more than the largest integer of a vector, and not less than a number.
fn _bins(values: tensor, minlength: int) -> int {
  if is_known(numel(values)) && numel(values) == 0 {
    minlength
  } else {
    let needed = known_ints(amax(values, 0, true))[0] + 1
    if needed < minlength { minlength } else { needed }
  }
}
