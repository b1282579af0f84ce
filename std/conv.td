tdsl 1
# Convolutions (cross-correlations, as everywhere in deep learning) and their transpositions, in one, two and three dimensions.
#
# Each is one index expression in which elements outside of the input count as zero. With groups the channels are split into
# [groups, channels of one group]. Without a batch axis, one is added and taken away again.

## The padding before and after each axis: numbers, `"valid"` for none, or `"same"` for as much as keeps the size.
fn _padding(
  padding: int | [int] | string,
  kernel: [int],
  stride: [int],
  dilation: [int],
) -> [[int]] {
  let rank = len(kernel)
  if is_string(padding) {
    assert(
      padding == "same" || padding == "valid",
      "padding is a number, a list, \"same\" or \"valid\", not \"" + padding + "\"",
    )
    if padding == "valid" {
      [[0, 0] for i in 0..rank]
    } else {
      for s in stride { assert(s == 1, "padding \"same\" needs a stride of 1, not of " + s) }
      let total = [dilation[i] * (kernel[i] - 1) for i in 0..rank]
      [[n // 2, n - n // 2] for n in total]
    }
  } else {
    [[p, p] for p in for_each_axis(padding, rank, "padding")]
  }
}

## The sizes of a convolution's result.
fn _sizes(sizes: [dim], kernel: [int], stride: [int], padding: [[int]], dilation: [int]) -> [dim] {
  for i in 0..len(kernel) {
    check_least(stride[i], 1, "the stride")
    check_least(dilation[i], 1, "the dilation")
    check_least(padding[i][0], 0, "the padding")
    check_least(padding[i][1], 0, "the padding")
    let padded = sizes[i] + padding[i][0] + padding[i][1]
    let window = dilation[i] * (kernel[i] - 1) + 1
    assert(
      padded >= window,
      "the kernel is larger than the input: it covers " +
        window +
        " of " +
        padded +
        " elements, padding included",
    )
  }
  [
    (sizes[i] + padding[i][0] + padding[i][1] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1
    for i in 0..len(kernel)
  ]
}

## The sizes of a transposed convolution's result.
fn _transposed_sizes(
  sizes: [dim],
  kernel: [int],
  stride: [int],
  padding: [int],
  output_padding: [int],
  dilation: [int],
) -> [dim] {
  for i in 0..len(kernel) {
    check_least(stride[i], 1, "the stride")
    check_least(dilation[i], 1, "the dilation")
    check_least(padding[i], 0, "the padding")
    assert(
      output_padding[i] >= 0 && (output_padding[i] < stride[i] || output_padding[i] < dilation[i]),
      "the output padding " +
        output_padding[i] +
        " is not smaller than the stride " +
        stride[i] +
        " or the dilation " +
        dilation[i],
    )
  }
  [
    (sizes[i] - 1) * stride[i] -
      2 * padding[i] +
      dilation[i] * (kernel[i] - 1) +
      output_padding[i] +
      1
    for i in 0..len(kernel)
  ]
}

## The input as [N, C, ...] with a batch axis; checks its rank and channels against what the weight takes.
fn _batched(
  name: string,
  input: tensor,
  weight: tensor,
  channels: dim,
  groups: int,
  rank: int,
) -> tensor {
  assert(
    ndim(input) == rank + 2 || ndim(input) == rank + 1,
    name +
      " takes an input of rank " +
      (rank + 2) +
      ", or " +
      (rank + 1) +
      " without a batch axis, not of shape " +
      input.shape,
  )
  check_least(groups, 1, name + ": groups")
  let batch = if ndim(input) == rank + 2 { input } else { unsqueeze(input, 0) }
  assert(
    size(batch, 1) == channels,
    name +
      ": the input of shape " +
      input.shape +
      " has " +
      size(batch, 1) +
      " channels, but the weight of shape " +
      weight.shape +
      (if groups == 1 { "" } else { " with groups " + groups }) +
      " takes " +
      channels,
  )
  batch
}

## Adds the bias, one number for each channel, to [N, C, ...], and takes away the batch axis unless the input has one.
fn _finish(name: string, output: tensor, bias: tensor?, is_batch: bool) -> tensor {
  let biased = if bias == none {
    output
  } else {
    assert(
      ndim(bias) == 1 && size(bias, 0) == size(output, 1),
      name +
        ": the bias of shape " +
        bias.shape +
        " does not have one number for each of the " +
        size(output, 1) +
        " output channels",
    )
    output + reshape(bias, [size(output, 1)] + [1 for i in 2..ndim(output)])
  }
  if is_batch { biased } else { squeeze_axes(biased, 0) }
}

## One-dimensional convolution of [N, C, L] or [C, L] with a weight [O, C / groups, K].
fn conv1d[T: number, O, C, K](
  input: T[*S],
  weight: T[O, C, K],
  bias: T[_]? = none,
  stride: int | [int] = 1,
  padding: int | [int] | string = 0,
  dilation: int | [int] = 1,
  groups: int = 1,
) -> tensor {
  let (s, d) = (for_each_axis(stride, 1, "stride"), for_each_axis(dilation, 1, "dilation"))
  let p = _padding(padding, [K], s, d)
  let batch = _batched("conv1d", input, weight, C * groups, groups, 1)
  assert(
    O % groups == 0,
    "conv1d: groups = " + groups + " does not divide the " + O + " output channels",
  )
  let n = _sizes(batch.shape[2:], [K], s, p, d)
  let x = reshape(batch, [size(batch, 0), groups, C] + batch.shape[2:])
  let w = reshape(weight, [groups, O // groups, C, K])
  y[b, g, o, l in 0..n[0]] =
    sum over c, u: x[b, g, c, l * s[0] + u * d[0] - p[0][0]] * w[g, o, c, u]
  _finish("conv1d", reshape(y, [size(batch, 0), O] + n), bias, len(S) == 3)
}

## Two-dimensional convolution of [N, C, H, W] or [C, H, W] with a weight [O, C / groups, K, L].
fn conv2d[T: number, O, C, K, L](
  input: T[*S],
  weight: T[O, C, K, L],
  bias: T[_]? = none,
  stride: int | [int] = 1,
  padding: int | [int] | string = 0,
  dilation: int | [int] = 1,
  groups: int = 1,
) -> tensor {
  let (s, d) = (for_each_axis(stride, 2, "stride"), for_each_axis(dilation, 2, "dilation"))
  let p = _padding(padding, [K, L], s, d)
  let batch = _batched("conv2d", input, weight, C * groups, groups, 2)
  assert(
    O % groups == 0,
    "conv2d: groups = " + groups + " does not divide the " + O + " output channels",
  )
  let n = _sizes(batch.shape[2:], [K, L], s, p, d)
  let x = reshape(batch, [size(batch, 0), groups, C] + batch.shape[2:])
  let w = reshape(weight, [groups, O // groups, C, K, L])
  y[b, g, o, i in 0..n[0], j in 0..n[1]] =
    sum over c, u, v:
      x[b, g, c, i * s[0] + u * d[0] - p[0][0], j * s[1] + v * d[1] - p[1][0]] * w[g, o, c, u, v]
  _finish("conv2d", reshape(y, [size(batch, 0), O] + n), bias, len(S) == 4)
}

## Three-dimensional convolution of [N, C, D, H, W] or [C, D, H, W] with a weight [O, C / groups, J, K, L].
fn conv3d[T: number, O, C, J, K, L](
  input: T[*S],
  weight: T[O, C, J, K, L],
  bias: T[_]? = none,
  stride: int | [int] = 1,
  padding: int | [int] | string = 0,
  dilation: int | [int] = 1,
  groups: int = 1,
) -> tensor {
  let (s, d) = (for_each_axis(stride, 3, "stride"), for_each_axis(dilation, 3, "dilation"))
  let p = _padding(padding, [J, K, L], s, d)
  let batch = _batched("conv3d", input, weight, C * groups, groups, 3)
  assert(
    O % groups == 0,
    "conv3d: groups = " + groups + " does not divide the " + O + " output channels",
  )
  let n = _sizes(batch.shape[2:], [J, K, L], s, p, d)
  let x = reshape(batch, [size(batch, 0), groups, C] + batch.shape[2:])
  let w = reshape(weight, [groups, O // groups, C, J, K, L])
  y[b, g, o, h in 0..n[0], i in 0..n[1], j in 0..n[2]] =
    sum over c, t, u, v:
      x[
        b,
        g,
        c,
        h * s[0] + t * d[0] - p[0][0],
        i * s[1] + u * d[1] - p[1][0],
        j * s[2] + v * d[2] - p[2][0]
      ] *
        w[g, o, c, t, u, v]
  _finish("conv3d", reshape(y, [size(batch, 0), O] + n), bias, len(S) == 5)
}

## Transposed one-dimensional convolution of [N, C, L] or [C, L] with a weight [C, O / groups, K]: the gradient of `conv1d`
## with respect to its input, as an operation (Zeiler et al. 2010).
fn conv_transpose1d[T: number, C, O, K](
  input: T[*S],
  weight: T[C, O, K],
  bias: T[_]? = none,
  stride: int | [int] = 1,
  padding: int | [int] = 0,
  output_padding: int | [int] = 0,
  groups: int = 1,
  dilation: int | [int] = 1,
) -> tensor {
  let (s, d) = (for_each_axis(stride, 1, "stride"), for_each_axis(dilation, 1, "dilation"))
  let (p, extra) = (
    for_each_axis(padding, 1, "padding"),
    for_each_axis(output_padding, 1, "output_padding"),
  )
  let batch = _batched("conv_transpose1d", input, weight, C, groups, 1)
  assert(
    C % groups == 0,
    "conv_transpose1d: groups = " + groups + " does not divide the " + C + " input channels",
  )
  let n = _transposed_sizes(batch.shape[2:], [K], s, p, extra, d)
  let x = reshape(batch, [size(batch, 0), groups, C // groups] + batch.shape[2:])
  let w = reshape(weight, [groups, C // groups, O, K])
  y[b, g, o, l in 0..n[0]] = sum over c, u: x[b, g, c, (l + p[0] - u * d[0]) / s[0]] * w[g, c, o, u]
  _finish("conv_transpose1d", reshape(y, [size(batch, 0), groups * O] + n), bias, len(S) == 3)
}

## Transposed two-dimensional convolution of [N, C, H, W] or [C, H, W] with a weight [C, O / groups, K, L]: the gradient of `conv2d`
## with respect to its input, as an operation (Zeiler et al. 2010).
fn conv_transpose2d[T: number, C, O, K, L](
  input: T[*S],
  weight: T[C, O, K, L],
  bias: T[_]? = none,
  stride: int | [int] = 1,
  padding: int | [int] = 0,
  output_padding: int | [int] = 0,
  groups: int = 1,
  dilation: int | [int] = 1,
) -> tensor {
  let (s, d) = (for_each_axis(stride, 2, "stride"), for_each_axis(dilation, 2, "dilation"))
  let (p, extra) = (
    for_each_axis(padding, 2, "padding"),
    for_each_axis(output_padding, 2, "output_padding"),
  )
  let batch = _batched("conv_transpose2d", input, weight, C, groups, 2)
  assert(
    C % groups == 0,
    "conv_transpose2d: groups = " + groups + " does not divide the " + C + " input channels",
  )
  let n = _transposed_sizes(batch.shape[2:], [K, L], s, p, extra, d)
  let x = reshape(batch, [size(batch, 0), groups, C // groups] + batch.shape[2:])
  let w = reshape(weight, [groups, C // groups, O, K, L])
  y[b, g, o, i in 0..n[0], j in 0..n[1]] =
    sum over c, u, v:
      x[b, g, c, (i + p[0] - u * d[0]) / s[0], (j + p[1] - v * d[1]) / s[1]] * w[g, c, o, u, v]
  _finish("conv_transpose2d", reshape(y, [size(batch, 0), groups * O] + n), bias, len(S) == 4)
}

## Transposed three-dimensional convolution of [N, C, D, H, W] or [C, D, H, W] with a weight [C, O / groups, J, K, L]: the gradient of `conv3d`
## with respect to its input, as an operation (Zeiler et al. 2010).
fn conv_transpose3d[T: number, C, O, J, K, L](
  input: T[*S],
  weight: T[C, O, J, K, L],
  bias: T[_]? = none,
  stride: int | [int] = 1,
  padding: int | [int] = 0,
  output_padding: int | [int] = 0,
  groups: int = 1,
  dilation: int | [int] = 1,
) -> tensor {
  let (s, d) = (for_each_axis(stride, 3, "stride"), for_each_axis(dilation, 3, "dilation"))
  let (p, extra) = (
    for_each_axis(padding, 3, "padding"),
    for_each_axis(output_padding, 3, "output_padding"),
  )
  let batch = _batched("conv_transpose3d", input, weight, C, groups, 3)
  assert(
    C % groups == 0,
    "conv_transpose3d: groups = " + groups + " does not divide the " + C + " input channels",
  )
  let n = _transposed_sizes(batch.shape[2:], [J, K, L], s, p, extra, d)
  let x = reshape(batch, [size(batch, 0), groups, C // groups] + batch.shape[2:])
  let w = reshape(weight, [groups, C // groups, O, J, K, L])
  y[b, g, o, h in 0..n[0], i in 0..n[1], j in 0..n[2]] =
    sum over c, t, u, v:
      x[
        b,
        g,
        c,
        (h + p[0] - t * d[0]) / s[0],
        (i + p[1] - u * d[1]) / s[1],
        (j + p[2] - v * d[2]) / s[2]
      ] *
        w[g, c, o, t, u, v]
  _finish("conv_transpose3d", reshape(y, [size(batch, 0), groups * O] + n), bias, len(S) == 5)
}
