tdsl 1
# New tensors: constants, ranges, grids. `full`, `arange` and `tensor` are built in.

## Zeros; also an initialiser.
fn zeros(size: [dim], dtype: dtype = real) -> tensor = full(size, 0, dtype)

## Ones; also an initialiser.
fn ones(size: [dim], dtype: dtype = real) -> tensor = full(size, 1, dtype)

## A tensor whose values are unspecified; they are zeros.
fn empty(size: [dim], dtype: dtype = real) -> tensor = full(size, 0, dtype)

## `fill_value` in the shape of `input`.
fn full_like(input: tensor, fill_value: number, dtype: dtype? = none) -> tensor =
  full(input.shape, fill_value, if dtype == none { input.dtype } else { dtype })

## Zeros in the shape of `input`.
fn zeros_like(input: tensor, dtype: dtype? = none) -> tensor = full_like(input, 0, dtype)

## Ones in the shape of `input`.
fn ones_like(input: tensor, dtype: dtype? = none) -> tensor = full_like(input, 1, dtype)

## Ones of the dtype of `input`, unless another is given.
fn new_ones(input: tensor, size: [dim], dtype: dtype? = none) -> tensor =
  full(size, 1, if dtype == none { input.dtype } else { dtype })

## Ones where row and column are equal, else zeros.
fn eye(n: dim, m: dim? = none, dtype: dtype = real) -> tensor {
  let columns = if m == none { n } else { m }
  assert(n >= 0, "eye: the size " + n + " is negative")
  assert(columns >= 0, "eye: the size " + columns + " is negative")
  cast(unsqueeze(arange(end: n), 1) == arange(end: columns), dtype)
}

## `steps` numbers from `start` to `end`, both included, equally spaced. The second half is counted from the end, so that it is exact there.
fn linspace(start: number, end: number, steps: dim, dtype: dtype = real) -> tensor {
  assert(steps >= 0, "linspace: the number of steps is not negative, got " + steps)
  let (first, last) = (cast(start, dtype), cast(end, dtype))
  if !is_floating_point(dtype) {
    cast(linspace(start, end, steps, f64), dtype)
  } else {
    let step = (last - first) / cast(clamp(steps - 1, min: 1), dtype)
    let i = arange(end: steps)
    where(
      i < steps // 2 || i == 0,
      first + step * cast(i, dtype),
      last - step * cast(steps - 1 - i, dtype),
    )
  }
}

## `base` to the power of `steps` numbers that are equally spaced from `start` to `end`.
fn logspace(
  start: number,
  end: number,
  steps: dim,
  base: float = 10.0,
  dtype: dtype = real,
) -> tensor {
  if is_floating_point(dtype) {
    base ** linspace(start, end, steps, dtype)
  } else {
    cast(base ** linspace(start, end, steps, f64), dtype)
  }
}

## The coordinates of a grid, one tensor for each argument, all of the grid's shape. With `"xy"` the first two axes change places.
fn meshgrid(tensors...: tensor, indexing: string = "ij") {
  check_word(indexing, ["ij", "xy"], "meshgrid: indexing is \"ij\" or \"xy\"")
  for t in tensors {
    assert(
      ndim(t) <= 1,
      "meshgrid takes vectors, not a tensor of rank " + ndim(t) + " (shape " + t.shape + ")",
    )
  }
  let sizes = [numel(t) for t in tensors]
  let rank = len(sizes)
  let grids = [
    expand(reshape(tensors[k], [if i == k { sizes[k] } else { 1 } for i in 0..rank]), sizes)
    for k in 0..rank
  ]
  tuple(
    if indexing == "xy" && rank > 1 { [transpose(grid, 0, 1) for grid in grids] } else { grids },
  )
}

## 1 at the class that `tensor` holds and 0 elsewhere, along a new last axis. A class outside of 0 … num_classes - 1 gives zeros.
fn one_hot(tensor: i64[*S], num_classes: dim) -> i64[*S, num_classes] {
  assert_known(
    tensor >= 0 && tensor < num_classes,
    "one_hot: the classes of " + num_classes + " are 0 to " + (num_classes - 1),
    of: tensor,
  )
  cast(unsqueeze(tensor, -1) == arange(end: num_classes), i64)
}
