tdsl 1
# Joining and splitting. `cat` is built in.

## Joins tensors of equal shape along a new axis.
fn stack(tensors: [tensor], dim: int = 0) -> tensor {
  assert(len(tensors) > 0, "stack needs at least one tensor")
  for t in tensors {
    assert(
      is_tensor(t),
      "stack joins tensors, not numbers; `tensor([a, b])` is a vector of numbers",
    )
    check_sizes(
      t.shape,
      tensors[0].shape,
      "stack needs tensors of equal shapes, not " + tensors[0].shape + " and " + t.shape,
    )
  }
  let at = axis_of(dim, ndim(tensors[0]) + 1)
  cat([unsqueeze(t, at) for t in tensors], at)
}

## Joins along the second axis, vectors along their only one.
fn hstack(tensors: [tensor]) -> tensor {
  let parts = [if ndim(t) == 0 { reshape(t, [1]) } else { t } for t in tensors]
  cat(parts, if ndim(parts[0]) == 1 { 0 } else { 1 })
}

## Joins along the first axis; vectors are rows.
fn vstack(tensors: [tensor]) -> tensor =
  cat([if ndim(t) < 2 { reshape(t, [1, -1]) } else { t } for t in tensors], 0)

## Parts along `dim`: of one size, the last one smaller where it does not divide, or of the sizes in a list.
fn split(tensor: tensor, split_size_or_sections: int | [int], dim: int = 0) {
  let n = size(tensor, dim)
  if is_list(split_size_or_sections) {
    let starts = [sum_of(split_size_or_sections[:i]) for i in 0..len(split_size_or_sections)]
    for part in split_size_or_sections { check_least(part, 0, "split: the size of a section") }
    assert(
      sum_of(split_size_or_sections) == n,
      "split: the sections " +
        split_size_or_sections +
        " add up to " +
        sum_of(split_size_or_sections) +
        ", but the axis has size " +
        n,
    )
    tuple([narrow(tensor, dim, starts[i], split_size_or_sections[i]) for i in 0..len(starts)])
  } else {
    let k = split_size_or_sections
    check_least(k, 1, "split: the size of the parts")
    let count = if n == 0 { 1 } else { (n + k - 1) // k }
    tuple([narrow(tensor, dim, i * k, if n - i * k < k { n - i * k } else { k }) for i in 0..count])
  }
}

## At most `chunks` parts of equal size along `dim`; the last may be smaller.
fn chunk(input: tensor, chunks: int, dim: int = 0) {
  check_least(chunks, 1, "chunk: the number of chunks")
  let n = size(input, dim)
  if n == 0 {
    tuple([input for i in 0..chunks])
  } else {
    split(input, (n + chunks - 1) // chunks, dim)
  }
}

## The slices along `dim`, without that axis.
fn unbind(input: tensor, dim: int = 0) =
  tuple([squeeze_axes(narrow(input, dim, i, 1), dim) for i in 0..size(input, dim)])
