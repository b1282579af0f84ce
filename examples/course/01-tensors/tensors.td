tdsl 1
# 1. Tensors. Every function below is what a line of PyTorch does; the script calls them and prints what comes out. The sizes are
# part of the types: read a signature, and you know the shapes.

dim n, m

## Single numbers, rows, columns and blocks. An integer takes an axis away, a slice keeps it.
export fn indexing(a: f32[3, 4]) -> (f32, f32[4], f32[3], f32[2, 2], f32[3, 1]) =
  (a[1, 2], a[-1], a[:, 0], a[0:2, 1:3], a[:, 3:])

## `...` stands for all axes that are not written, and slices may have steps.
export fn images(x: f32[2, 3, 28, 28]) -> (f32[2, 3, 28], f32[2, 14, 14]) =
  (x[..., 0], x[:, 1, ::2, ::2])

## Values do not change. What `x[0, 1] = 9` does in PyTorch is a new tensor here, and `a` stays as it is.
export fn updated(a: f32[3, 4]) -> (f32[3, 4], f32[3, 4]) =
  (update(a, [0, 1], 9), update(a, [1:, :], 0))

## The same elements in another shape; -1 is worked out.
export fn reshaped(a: f32[3, 4]) -> (f32[4, 3], f32[2, 6], f32[12], f32[4, 3], f32[1, 3, 4, 1]) =
  (a.T, reshape(a, [2, -1]), flatten(a), permute(a, [1, 0]), unsqueeze(unsqueeze(a, 0), -1))

## Broadcasting: axes of size 1 grow, and missing ones are added in front. A row, a column, and both.
export fn broadcasting(row: f32[n], column: f32[m, 1]) -> (f32[m, n], f32[m, n]) =
  (row + column, row * column)

## Joining and splitting.
export fn joined(a: f32[n, m], b: f32[n, m]) -> (f32[2 * n, m], f32[n, 2 * m], f32[2, n, m]) =
  (cat([a, b]), cat([a, b], dim: 1), stack([a, b]))
export fn parts(x: f32[7]) -> (f32[3], f32[3], f32[1], f32[2], f32[5]) {
  let (a, b, c) = split(x, 3)
  let (d, e) = split(x, [2, 5])
  (a, b, c, d, e)
}

## Element by element: each function is written once and works on any shape.
export fn pointwise(x: f32[n]) -> (f32[n], f32[n], f32[n], f32[n]) =
  (exp(x), x ** 2 + 1, clamp(x, min: 0), where(x > 0, x, 0.1 * x))

## The dtype follows PyTorch's rules: int / int is f32, int + f32 is f32, a comparison is bool, and the number 2 takes the tensor's dtype.
export fn dtypes(
  i: i64[n],
  x: f32[n],
  d: f64[n],
) -> (f32[n], f32[n], f64[n], bool[n], i64[n], i64[n]) =
  (i / 2, i + x, x + d, x > 0, i * 2, cast(x, i64))

## Products: matrices, vectors, batches of matrices, and any sum of products by its indices.
export fn products(a: f32[n, m], b: f32[m, n], v: f32[m]) -> (f32[n, n], f32[n], f32, f32) {
  let trace_of = sum over i, k: a[i, k] * b[k, i]
  (a @ b, a @ v, v @ v, trace_of)
}

## Sums, means and extrema over all elements or an axis. `keepdim` leaves an axis of size 1, which broadcasts.
export fn reductions(a: f32[n, m]) -> (f32, f32[m], f32[n, 1], f32[n, m], f32[n], i64[n]) {
  let (largest, where_it_is) = max(a, dim: 1)
  (
    mean(a),
    sum(a, dim: 0),
    sum(a, dim: 1, keepdim: true),
    a / sum(a, dim: 1, keepdim: true),
    largest,
    where_it_is,
  )
}

## Choosing by positions: rows by a list of indices, one element of each row, the two largest of each row.
export fn choosing(
  a: f32[n, m],
  rows: i64[3],
  columns: i64[n],
) -> (f32[3, m], f32[n], f32[n, 2], i64[n, 2]) {
  let (values, indices) = topk(a, 2)
  (a[rows], squeeze(gather(a, 1, unsqueeze(columns, 1)), 1), values, indices)
}
