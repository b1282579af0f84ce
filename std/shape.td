tdsl 1
# The same elements in other shapes and orders. `reshape permute expand flip narrow slice` are built in.

## Repeats axes of size 1, and adds new ones in front, to reach `size`.
fn broadcast_to(input: tensor, size: [dim]) -> tensor = expand(input, size)

## Joins the axes from `start_dim` to `end_dim` into one.
fn flatten(input: tensor, start_dim: int = 0, end_dim: int = -1) -> tensor {
  let rank = ndim(input)
  if rank == 0 {
    reshape(input, [1])
  } else {
    let (first, last) = (axis_of(start_dim, rank), axis_of(end_dim, rank))
    assert(first <= last, "flatten: start_dim " + start_dim + " comes after end_dim " + end_dim)
    let sizes = input.shape
    reshape(input, sizes[:first] + [product_of(sizes[first:last + 1])] + sizes[last + 1:])
  }
}

## Exchanges two axes.
fn transpose(input: tensor, dim0: int, dim1: int) -> tensor {
  let rank = ndim(input)
  let (a, b) = (axis_of(dim0, rank), axis_of(dim1, rank))
  permute(input, [if i == a { b } else if i == b { a } else { i } for i in 0..rank])
}

## The transposed matrix; a vector or number as it is.
fn t(input: tensor) -> tensor {
  assert(
    ndim(input) <= 2,
    "t takes a tensor of rank 2 or less, not of rank " + ndim(input) + "; use transpose or permute",
  )
  if ndim(input) == 2 { permute(input, [1, 0]) } else { input }
}

## Moves an axis to another place; the others keep their order.
fn movedim(input: tensor, source: int, destination: int) -> tensor {
  let rank = ndim(input)
  let (from_axis, to_axis) = (axis_of(source, rank), axis_of(destination, rank))
  let others = [i for i in 0..rank if i != from_axis]
  permute(input, others[:to_axis] + [from_axis] + others[to_axis:])
}

## Adds an axis of size 1 at `dim`.
fn unsqueeze(input: tensor, dim: int) -> tensor {
  let at = axis_of(dim, ndim(input) + 1)
  reshape(input, input.shape[:at] + [1] + input.shape[at:])
}

## Removes all axes of size 1, or the axis `dim` if its size is 1.
fn squeeze(input: tensor, dim: int? = none) -> tensor {
  let sizes = input.shape
  if dim == none {
    reshape(input, [n for n in sizes if n != 1])
  } else {
    let at = axis_of(dim, len(sizes))
    if len(sizes) == 0 {
      input
    } else if sizes[at] == 1 {
      reshape(input, sizes[:at] + sizes[at + 1:])
    } else {
      input
    }
  }
}

## Removes the given axes, which have size 1; [] for all.
fn squeeze_axes(input: tensor, dims: int | [int]) -> tensor {
  let rank = ndim(input)
  let removed = [axis_of(d, rank) for d in if is_list(dims) { dims } else { [dims] }]
  let all_go = is_list(dims) && len(removed) == 0
  reshape(input, [input.shape[i] for i in 0..rank if !(all_go || contains(removed, i))])
}

## Copies the tensor `repeats[i]` times along each axis; more repeats than axes add axes in front.
fn repeat(input: tensor, repeats: [int]) -> tensor {
  let extra = len(repeats) - ndim(input)
  assert(
    extra >= 0,
    "repeat needs a number for each of the " + ndim(input) + " axes, not " + len(repeats),
  )
  let sizes = [1 for i in 0..extra] + input.shape
  let rank = len(sizes)
  let apart = [if i % 2 == 0 { 1 } else { sizes[i // 2] } for i in 0..2 * rank]
  let copies = [if i % 2 == 0 { repeats[i // 2] } else { sizes[i // 2] } for i in 0..2 * rank]
  reshape(expand(reshape(input, apart), copies), [repeats[i] * sizes[i] for i in 0..rank])
}

## Repeats each element along `dim`, all the same number of times, or each by its own number in a list, or a
## tensor that is known when compiling. Without `dim` of the flattened tensor.
fn repeat_interleave(input: tensor, repeats: int | [int] | tensor, dim: int? = none) -> tensor {
  if is_tensor(repeats) {
    repeat_interleave(input, known_ints(repeats), dim)
  } else if dim == none {
    repeat_interleave(flatten(input), repeats, 0)
  } else if is_list(repeats) {
    let n = size(input, dim)
    assert(
      len(repeats) == n || len(repeats) == 1,
      "repeat_interleave: there are " +
        len(repeats) +
        " repeats for the " +
        n +
        " elements along the axis",
    )
    for each in repeats { check_least(each, 0, "repeat_interleave: the number of repeats") }
    if len(repeats) == 1 {
      repeat_interleave(input, repeats[0], dim)
    } else {
      index_select(input, dim, tensor([i for i in 0..n for j in 0..repeats[i]], i64))
    }
  } else {
    check_least(repeats, 0, "repeat_interleave: the number of repeats")
    let at = axis_of(dim, ndim(input))
    let sizes = input.shape
    let spread = expand(unsqueeze(input, at + 1), sizes[:at + 1] + [repeats] + sizes[at + 1:])
    reshape(spread, sizes[:at] + [sizes[at] * repeats] + sizes[at + 1:])
  }
}

## Moves the elements along axes; what leaves at one end enters at the other. Without `dims` of the flattened tensor.
fn roll(input: tensor, shifts: int | [int], dims: (int | [int])? = none) -> tensor {
  let steps = if is_list(shifts) { shifts } else { [shifts] }
  let axes = if dims == none {
    [0]
  } else if is_list(dims) {
    dims
  } else {
    [dims]
  }
  assert(
    len(steps) == len(axes),
    "roll needs a shift for each of its dims: there are " +
      len(steps) +
      " shifts and " +
      len(axes) +
      (if dims == none { " axis, that of the flattened tensor" } else { " dims" }),
  )
  let rolled = if dims == none { flatten(input) } else { input }
  for i in 0..len(axes) { rolled = _roll_axis(rolled, steps[i], axes[i]) }
  if dims == none { reshape(rolled, input.shape) } else { rolled }
}

fn _roll_axis(input: tensor, shift: int, dim: int) -> tensor {
  let n = size(input, dim)
  if n == 0 {
    input
  } else {
    let k = shift % n
    cat([narrow(input, dim, n - k, k), narrow(input, dim, 0, n - k)], dim)
  }
}
