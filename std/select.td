tdsl 1
# Reading and writing selected elements. Everything is a pure value: writing gives a new tensor. `gather scatter scatter_add index_put where`
# and `x[...]` are built in.

## The slices along `dim` at the positions in `index`.
fn index_select(input: tensor, dim: int, index: tensor) -> tensor {
  assert(
    ndim(index) <= 1,
    "index_select takes a vector of positions, not a tensor of rank " + ndim(index),
  )
  let at = axis_of(dim, ndim(input))
  let positions = reshape(index, [-1])
  if ndim(input) == 0 {
    input
  } else if at == 0 {
    input[positions]
  } else {
    movedim(movedim(input, at, 0)[positions], 0, at)
  }
}

## Positions along `dim`, repeated over the other axes of `sizes`.
fn _along(index: tensor, dim: int, sizes: [dim]) -> tensor {
  let at = axis_of(dim, len(sizes))
  expand(reshape(index, [if i == at { -1 } else { 1 } for i in 0..len(sizes)]), sizes)
}

## Adds `alpha` times the slices of `source` to those at the positions in `index`.
fn index_add(
  input: tensor,
  dim: int,
  index: tensor,
  source: tensor,
  alpha: int | float = 1,
) -> tensor {
  assert(
    source.dtype == input.dtype,
    "index_add: the source is " + source.dtype + ", but the input " + input.dtype,
  )
  let scaled = if alpha == 1 { source } else { alpha * source }
  scatter_add(input, dim, _along(index, dim, source.shape), cast(scaled, input.dtype))
}

## Sets the slices at the positions in `index` to a number. Negative positions count from the end.
fn index_fill(input: tensor, dim: int, index: tensor, value: number) -> tensor {
  let at = axis_of(dim, ndim(input))
  let sizes = input.shape[:at] + [numel(index)] + input.shape[at + 1:]
  let positions = where(index < 0, index + size(input, at), index)
  scatter(input, dim, _along(positions, dim, sizes), expand(cast(value, input.dtype), sizes))
}

## `value` where the mask is true.
fn masked_fill(input: tensor, mask: tensor, value: number) -> tensor {
  assert(ndim(value) == 0, "masked_fill takes one value, not a tensor of rank " + ndim(value))
  let filled = where(mask, value, input)
  assert(
    filled.dtype == input.dtype,
    "masked_fill: the value " + str(value) + " is not one of " + input.dtype,
  )
  filled
}

## The slice at `index` along `dim` replaced by `src`.
fn select_scatter(input: tensor, src: tensor, dim: int, index: int) -> tensor {
  let n = size(input, dim)
  assert(
    index >= -n && index < n,
    "select_scatter: index " + index + " is out of range for size " + n,
  )
  let at = if index < 0 { index + n } else { index }
  let axis = axis_of(dim, ndim(input))
  let row = cast(unsqueeze(src, axis), input.dtype)
  cat([narrow(input, axis, 0, at), row, narrow(input, axis, at + 1, n - at - 1)], axis)
}

## The slice `start:end:step` along `dim` replaced by `src`.
fn slice_scatter(
  input: tensor,
  src: tensor,
  dim: int = 0,
  start: int? = none,
  end: int? = none,
  step: int = 1,
) -> tensor {
  let n = size(input, dim)
  let first = if start == none { 0 } else { _clamped(start, n) }
  let stop = if end == none { n } else { _clamped(end, n) }
  let index = arange(first, if stop < first { first } else { stop }, step)
  assert(
    size(src, dim) == size(index, 0),
    "slice_scatter: the slice has " + size(index, 0) + " places, but src has " + size(src, dim),
  )
  scatter(input, dim, _along(index, dim, src.shape), cast(src, input.dtype))
}

## A position of a slice as Python takes it: negative ones count from the end, and all are clamped to 0 ... n.
fn _clamped(position: int, n: dim) -> dim {
  let at = if position < 0 { position + n } else { position }
  if at < 0 { 0 } else if at > n { n } else { at }
}

## The elements at flat positions.
fn take(input: tensor, index: tensor) -> tensor = flatten(input)[index]

# A tensor of the sizes with 1 in place of one of them: what two of them broadcast to is asked of their operator.
fn _without(sizes: [dim], axis: int) -> tensor =
  zeros([if i == axis { 1 } else { sizes[i] } for i in 0..len(sizes)], bool)

## Elements at positions along `dim`, one for each element of `indices`; other axes broadcast. Without `dim` of the flattened tensor.
fn take_along_dim(input: tensor, indices: tensor, dim: int? = none) -> tensor {
  if dim == none {
    flatten(input)[flatten(indices)]
  } else {
    let rank = ndim(input)
    assert(
      ndim(indices) == rank,
      "take_along_dim needs indices of rank " + rank + ", not " + ndim(indices),
    )
    let at = axis_of(dim, rank)
    let others = (_without(input.shape, at) || _without(indices.shape, at)).shape
    let source = expand(input, [if i == at { input.shape[i] } else { others[i] } for i in 0..rank])
    gather(
      source,
      at,
      expand(indices, [if i == at { indices.shape[i] } else { others[i] } for i in 0..rank]),
    )
  }
}
