tdsl 1
# Pooling over windows. Elements of the padding never win a maximum; of equal elements the first in the window gets the gradient.

## Where windows lie along each axis.
fn _windows(
  name: string,
  sizes: [dim],
  kernel: [int],
  stride: [int],
  padding: [int],
  dilation: [int],
  ceil_mode: bool,
) -> [dim] {
  for i in 0..len(kernel) {
    check_least(kernel[i], 1, name + ": the kernel_size")
    check_least(stride[i], 1, name + ": the stride")
    check_least(dilation[i], 1, name + ": the dilation")
    assert(
      padding[i] >= 0 && 2 * padding[i] <= kernel[i],
      name +
        ": the padding is at most half of the kernel size " +
        kernel[i] +
        ", that is " +
        kernel[i] // 2 +
        ", not " +
        padding[i],
    )
    let window = dilation[i] * (kernel[i] - 1) + 1
    let padded = sizes[i] + 2 * padding[i]
    # With `ceil_mode` a window may stick out by what a step leaves, also the first.
    assert(
      padded + (if ceil_mode { stride[i] - 1 } else { 0 }) >= window,
      name +
        ": the window of " +
        window +
        " elements does not fit the " +
        padded +
        " of the padded input",
    )
  }
  [
    _count(sizes[i], kernel[i], stride[i], padding[i], dilation[i], ceil_mode)
    for i in 0..len(kernel)
  ]
}

## The number of windows. With `ceil_mode` the last may stick out, but it begins inside the input or its left padding.
fn _count(n: dim, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> dim {
  let room = n + 2 * padding - dilation * (kernel - 1) - 1
  if !ceil_mode {
    room // stride + 1
  } else {
    let count = (room + stride - 1) // stride + 1
    if stride == 1 {
      count
    } else if (count - 1) * stride >= n + padding {
      count - 1
    } else {
      count
    }
  }
}

## The input with a batch axis.
fn _batched(name: string, input: tensor, rank: int) -> tensor {
  assert(
    ndim(input) == rank + 2 || ndim(input) == rank + 1,
    name +
      " takes an input of rank " +
      (rank + 2) +
      ", or " +
      (rank + 1) +
      " without a batch axis, not of rank " +
      ndim(input) +
      " (shape " +
      input.shape +
      ")",
  )
  if ndim(input) == rank + 2 { input } else { unsqueeze(input, 0) }
}

## Takes away the batch axis unless the input has one.
fn _unbatched(output: tensor, input: tensor) -> tensor =
  if ndim(output) == ndim(input) { output } else { squeeze_axes(output, 0) }

## The largest element of each window of [N, C, L] or [C, L]; with `return_indices` also its position.
fn max_pool1d(
  input: tensor,
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false,
  return_indices: bool = false,
) {
  let k = for_each_axis(kernel_size, 1, "kernel_size")
  let s = if stride == none { k } else { for_each_axis(stride, 1, "stride") }
  let (p, d) = (for_each_axis(padding, 1, "padding"), for_each_axis(dilation, 1, "dilation"))
  let x = _batched("max_pool1d", input, 1)
  let m = _windows("max_pool1d", x.shape[2:], k, s, p, d, ceil_mode)
  y[n, c, i in 0..m[0]] = max over u in 0..k[0]: x[n, c, i * s[0] + u * d[0] - p[0]] else -inf
  if return_indices {
    place[n, c, i in 0..m[0]] =
      argmax over u in 0..k[0]: x[n, c, i * s[0] + u * d[0] - p[0]] else -inf
    let column = arange(end: m[0]) * s[0] + place * d[0] - p[0]
    (_unbatched(y, input), _unbatched(column, input))
  } else {
    _unbatched(y, input)
  }
}

## The largest element of each window of [N, C, H, W] or [C, H, W]; with `return_indices` also its position in the plane, counted row by row.
fn max_pool2d(
  input: tensor,
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false,
  return_indices: bool = false,
) {
  let k = for_each_axis(kernel_size, 2, "kernel_size")
  let s = if stride == none { k } else { for_each_axis(stride, 2, "stride") }
  let (p, d) = (for_each_axis(padding, 2, "padding"), for_each_axis(dilation, 2, "dilation"))
  let x = _batched("max_pool2d", input, 2)
  let m = _windows("max_pool2d", x.shape[2:], k, s, p, d, ceil_mode)
  y[n, c, i in 0..m[0], j in 0..m[1]] =
    max over u in 0..k[0], v in 0..k[1]:
      x[n, c, i * s[0] + u * d[0] - p[0], j * s[1] + v * d[1] - p[1]] else -inf
  if return_indices {
    place[n, c, i in 0..m[0], j in 0..m[1]] =
      argmax over u in 0..k[0], v in 0..k[1]:
        x[n, c, i * s[0] + u * d[0] - p[0], j * s[1] + v * d[1] - p[1]] else -inf
    let row = unsqueeze(arange(end: m[0]), 1) * s[0] + place // k[1] * d[0] - p[0]
    let column = arange(end: m[1]) * s[1] + place % k[1] * d[1] - p[1]
    (_unbatched(y, input), _unbatched(row * size(x, 3) + column, input))
  } else {
    _unbatched(y, input)
  }
}

## The largest element of each window of [N, C, D, H, W] or [C, D, H, W]; with `return_indices` also its position in the volume.
fn max_pool3d(
  input: tensor,
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false,
  return_indices: bool = false,
) {
  let k = for_each_axis(kernel_size, 3, "kernel_size")
  let s = if stride == none { k } else { for_each_axis(stride, 3, "stride") }
  let (p, d) = (for_each_axis(padding, 3, "padding"), for_each_axis(dilation, 3, "dilation"))
  let x = _batched("max_pool3d", input, 3)
  let m = _windows("max_pool3d", x.shape[2:], k, s, p, d, ceil_mode)
  y[n, c, h in 0..m[0], i in 0..m[1], j in 0..m[2]] =
    max over t in 0..k[0], u in 0..k[1], v in 0..k[2]:
      x[
        n,
        c,
        h * s[0] + t * d[0] - p[0],
        i * s[1] + u * d[1] - p[1],
        j * s[2] + v * d[2] - p[2]
      ] else -inf
  if return_indices {
    place[n, c, h in 0..m[0], i in 0..m[1], j in 0..m[2]] =
      argmax over t in 0..k[0], u in 0..k[1], v in 0..k[2]:
        x[
          n,
          c,
          h * s[0] + t * d[0] - p[0],
          i * s[1] + u * d[1] - p[1],
          j * s[2] + v * d[2] - p[2]
        ] else -inf
    let slice = reshape(arange(end: m[0]), [-1, 1, 1]) * s[0] + place // (k[1] * k[2]) * d[0] - p[0]
    let row = unsqueeze(arange(end: m[1]), 1) * s[1] + place // k[2] % k[1] * d[1] - p[1]
    let column = arange(end: m[2]) * s[2] + place % k[2] * d[2] - p[2]
    (_unbatched(y, input), _unbatched((slice * size(x, 3) + row) * size(x, 4) + column, input))
  } else {
    _unbatched(y, input)
  }
}

## How many elements each window along an axis has: all that lie in the padded input, or only those in the input.
fn _covered(
  n: dim,
  count: dim,
  kernel: int,
  stride: int,
  padding: int,
  count_include_pad: bool,
) -> tensor {
  let first = arange(end: count) * stride - padding
  let end = minimum(first + kernel, n + padding)
  if count_include_pad { end - first } else { minimum(end, n) - maximum(first, 0) }
}

## Sums over windows [N, C, ...] divided by the number of their elements, or by `divisor`.
fn _average(
  sums: tensor,
  sizes: [dim],
  k: [int],
  s: [int],
  p: [int],
  ceil_mode: bool,
  count_include_pad: bool,
  divisor: int?,
) -> tensor {
  if divisor != none {
    assert(divisor != 0, "the divisor_override is not 0")
    sums / divisor
  } else if (count_include_pad && !ceil_mode) || (sum_of(p) == 0 && !ceil_mode) {
    sums / product_of(k)
  } else {
    let rank = len(k)
    let divided = sums
    for a in 0..rank {
      let covered = _covered(sizes[a], size(sums, a + 2), k[a], s[a], p[a], count_include_pad)
      divided = divided / reshape(covered, [-1] + [1 for i in a + 1..rank])
    }
    divided
  }
}

## The mean of each window of [N, C, L] or [C, L].
fn avg_pool1d[T: float](
  input: T[*S],
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
) -> tensor {
  let k = for_each_axis(kernel_size, 1, "kernel_size")
  let s = if stride == none { k } else { for_each_axis(stride, 1, "stride") }
  let p = for_each_axis(padding, 1, "padding")
  let x = _batched("avg_pool1d", input, 1)
  let m = _windows("avg_pool1d", x.shape[2:], k, s, p, [1], ceil_mode)
  y[n, c, i in 0..m[0]] = sum over u in 0..k[0]: x[n, c, i * s[0] + u - p[0]]
  _unbatched(_average(y, x.shape[2:], k, s, p, ceil_mode, count_include_pad, none), input)
}

## The mean of each window of [N, C, H, W] or [C, H, W]; `divisor_override` divides the sum instead of the number of elements.
fn avg_pool2d[T: float](
  input: T[*S],
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
  divisor_override: int? = none,
) -> tensor {
  let k = for_each_axis(kernel_size, 2, "kernel_size")
  let s = if stride == none { k } else { for_each_axis(stride, 2, "stride") }
  let p = for_each_axis(padding, 2, "padding")
  let x = _batched("avg_pool2d", input, 2)
  let m = _windows("avg_pool2d", x.shape[2:], k, s, p, [1, 1], ceil_mode)
  y[n, c, i in 0..m[0], j in 0..m[1]] =
    sum over u in 0..k[0], v in 0..k[1]: x[n, c, i * s[0] + u - p[0], j * s[1] + v - p[1]]
  _unbatched(
    _average(y, x.shape[2:], k, s, p, ceil_mode, count_include_pad, divisor_override),
    input,
  )
}

## The mean of each window of [N, C, D, H, W] or [C, D, H, W].
fn avg_pool3d[T: float](
  input: T[*S],
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
  divisor_override: int? = none,
) -> tensor {
  let k = for_each_axis(kernel_size, 3, "kernel_size")
  let s = if stride == none { k } else { for_each_axis(stride, 3, "stride") }
  let p = for_each_axis(padding, 3, "padding")
  let x = _batched("avg_pool3d", input, 3)
  let m = _windows("avg_pool3d", x.shape[2:], k, s, p, [1, 1, 1], ceil_mode)
  y[n, c, h in 0..m[0], i in 0..m[1], j in 0..m[2]] =
    sum over t in 0..k[0], u in 0..k[1], v in 0..k[2]:
      x[n, c, h * s[0] + t - p[0], i * s[1] + u - p[1], j * s[2] + v - p[2]]
  _unbatched(
    _average(y, x.shape[2:], k, s, p, ceil_mode, count_include_pad, divisor_override),
    input,
  )
}

## `(sum of a window)^(1/p)` from the mean of the powers in it, with PyTorch's sign and zero.
fn _root_of_mean[T: float](means: T[*S], elements: int, norm_type: float) -> T[*S] =
  (sign(means) * relu(abs(means)) * elements) ** (1.0 / norm_type)

## The p-norm of each window of [N, C, L] or [C, L]: `(sum x^p)^(1/p)`.
fn lp_pool1d[T: float](
  input: T[*S],
  norm_type: float,
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  ceil_mode: bool = false,
) -> tensor {
  let k = for_each_axis(kernel_size, 1, "kernel_size")
  _root_of_mean(avg_pool1d(input ** norm_type, k, stride, 0, ceil_mode), k[0], norm_type)
}

## The p-norm of each window of [N, C, H, W]: `(sum x^p)^(1/p)`.
fn lp_pool2d[T: float](
  input: T[*S],
  norm_type: float,
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  ceil_mode: bool = false,
) -> tensor {
  let k = for_each_axis(kernel_size, 2, "kernel_size")
  _root_of_mean(avg_pool2d(input ** norm_type, k, stride, 0, ceil_mode), product_of(k), norm_type)
}
