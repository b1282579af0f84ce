tdsl 1
# Pooling over windows that cover an axis as evenly as possible, and the way back from maxima to their places.

## Which elements of an axis of size n belong to each of `m` windows that cover it as evenly as possible: bool [m, n].
fn _even_windows(n: dim, m: dim) -> tensor {
  let i = unsqueeze(arange(end: m), 1)
  let at = arange(end: n)
  at >= i * n // m && at < ((i + 1) * n + m - 1) // m
}

## The number of windows along each of `rank` axes: one number for all, or a list in which none keeps a size.
fn _output_sizes(name: string, sizes: [dim], rank: int, output_size: int | [int?]) -> [dim] {
  assert(
    len(sizes) == rank + 1 || len(sizes) == rank + 2,
    name +
      " takes an input of rank " +
      (rank + 2) +
      ", or " +
      (rank + 1) +
      " without a batch axis, not of rank " +
      len(sizes) +
      " (shape " +
      sizes +
      ")",
  )
  let wanted = if is_list(output_size) { output_size } else { [output_size for i in 0..rank] }
  assert(
    len(wanted) == rank,
    name + ": output_size is one number or " + rank + ", not " + len(wanted),
  )
  let found = [
    if wanted[i] == none { sizes[len(sizes) - rank + i] } else { wanted[i] }
    for i in 0..rank
  ]
  for n in found { assert(n >= 1, name + ": the output_size is at least 1, not " + n) }
  found
}

## Means over windows that cover the last axes as evenly as possible, `output_size` of them along each.
fn adaptive_avg_pool[T: float](input: T[*S], output_size: [dim]) -> tensor {
  for n in output_size { assert(n >= 0, "the output_size is not negative, but " + n) }
  let x = input
  let skipped = len(S) - len(output_size)
  for a in 0..len(output_size) {
    let windows = _even_windows(S[skipped + a], output_size[a])
    let weights = cast(windows, input.dtype) / sum(windows, 1, keepdim: true)
    x = movedim(movedim(x, skipped + a, -1) @ weights.T, -1, skipped + a)
  }
  x
}

## The largest elements of windows that cover the last axes as evenly as possible, `output_size` of them along each.
fn adaptive_max_pool[T: float](input: T[*S], output_size: [dim]) -> tensor {
  let x = input
  let rank = len(output_size)
  # From the last axis on, so that of equal elements the first one in row-major order gets the gradient.
  for i in 0..rank {
    let axis = len(S) - 1 - i
    let windows = _even_windows(S[axis], output_size[rank - 1 - i])
    let spread = unsqueeze(movedim(x, axis, -1), -2)
    x = movedim(max(where(windows, spread, -inf), -1)[0], -1, axis)
  }
  x
}

## Means over windows of [N, C, L] or [C, L] that cover the axis as evenly as possible.
fn adaptive_avg_pool1d[T: float](input: T[*S], output_size: int | [int?]) -> tensor =
  adaptive_avg_pool(input, _output_sizes("adaptive_avg_pool1d", S, 1, output_size))

## Means over windows of [N, C, H, W] or [C, H, W] that cover the image as evenly as possible; none in `output_size` keeps a size.
fn adaptive_avg_pool2d[T: float](input: T[*S], output_size: int | [int?]) -> tensor =
  adaptive_avg_pool(input, _output_sizes("adaptive_avg_pool2d", S, 2, output_size))

## Means over windows of [N, C, D, H, W] or [C, D, H, W] that cover the volume as evenly as possible; none in `output_size` keeps a size.
fn adaptive_avg_pool3d[T: float](input: T[*S], output_size: int | [int?]) -> tensor =
  adaptive_avg_pool(input, _output_sizes("adaptive_avg_pool3d", S, 3, output_size))

## The largest elements of windows of [N, C, L] or [C, L] that cover the axis as evenly as possible.
fn adaptive_max_pool1d[T: float](input: T[*S], output_size: int | [int?]) -> tensor =
  adaptive_max_pool(input, _output_sizes("adaptive_max_pool1d", S, 1, output_size))

## The largest elements of windows of [N, C, H, W] or [C, H, W] that cover the image as evenly as possible; none in `output_size` keeps a size.
fn adaptive_max_pool2d[T: float](input: T[*S], output_size: int | [int?]) -> tensor =
  adaptive_max_pool(input, _output_sizes("adaptive_max_pool2d", S, 2, output_size))

## The largest elements of windows of [N, C, D, H, W] or [C, D, H, W] that cover the volume as evenly as possible.
fn adaptive_max_pool3d[T: float](input: T[*S], output_size: int | [int?]) -> tensor =
  adaptive_max_pool(input, _output_sizes("adaptive_max_pool3d", S, 3, output_size))

## Puts values at their positions in the last axes, which have `rank` sizes, with zeros elsewhere.
fn _unpool(
  input: tensor,
  indices: tensor,
  rank: int,
  kernel_size: int | [int],
  stride: (int | [int])?,
  padding: int | [int],
  output_size: [int]?,
) -> tensor {
  let k = for_each_axis(kernel_size, rank, "kernel_size")
  let s = if stride == none { k } else { for_each_axis(stride, rank, "stride") }
  let p = for_each_axis(padding, rank, "padding")
  let first = ndim(input) - rank
  let (outer, sizes) = (input.shape[:first], input.shape[first:])
  let plane = if output_size == none {
    [(sizes[i] - 1) * s[i] - 2 * p[i] + k[i] for i in 0..rank]
  } else {
    output_size[len(output_size) - rank:]
  }
  let flat = outer + [product_of(sizes)]
  reshape(
    scatter(
      full(outer + [product_of(plane)], 0, input.dtype),
      -1,
      reshape(indices, flat),
      reshape(input, flat),
    ),
    outer + plane,
  )
}

## Puts the values back where `max_pool1d` found them, with zeros elsewhere. Where places repeat, the last value counts, and has the gradient. Where several sizes could have been pooled, `output_size` says which.
fn max_unpool1d[T: number](
  input: T[*S, L],
  indices: i64[*S, L],
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  output_size: [int]? = none,
) -> tensor = _unpool(input, indices, 1, kernel_size, stride, padding, output_size)

## Puts the values back where `max_pool2d` found them, with zeros elsewhere. Where places repeat, the last value counts, and has the gradient. Where several sizes could have been pooled, `output_size` says which.
fn max_unpool2d[T: number](
  input: T[*S, H, W],
  indices: i64[*S, H, W],
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  output_size: [int]? = none,
) -> tensor = _unpool(input, indices, 2, kernel_size, stride, padding, output_size)

## Puts the values back where `max_pool3d` found them, with zeros elsewhere. Where places repeat, the last value counts, and has the gradient. Where several sizes could have been pooled, `output_size` says which.
fn max_unpool3d[T: number](
  input: T[*S, D, H, W],
  indices: i64[*S, D, H, W],
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  output_size: [int]? = none,
) -> tensor = _unpool(input, indices, 3, kernel_size, stride, padding, output_size)
