tdsl 1
# Padding, windows as columns, and changes of resolution.

## Extends the last axes: `pad` holds pairs of sizes before and after, from the last axis on; negative ones crop. `mode`: `"constant"` (with
## `value`, none is 0), `"reflect"` (without repeating the edge), `"replicate"` or `"circular"`.
fn pad(input: tensor, pad: [int], mode: string = "constant", value: number? = none) -> tensor {
  check_word(
    mode,
    ["constant", "reflect", "replicate", "circular"],
    "pad: mode is \"constant\", \"reflect\", \"replicate\" or \"circular\"",
  )
  assert(len(pad) % 2 == 0, "pad: pairs of sizes are needed, not " + len(pad) + " numbers")
  assert(
    len(pad) <= 2 * ndim(input),
    "pad: " +
      len(pad) +
      " numbers pad " +
      len(pad) // 2 +
      " axes, but the input has rank " +
      ndim(input),
  )
  assert(
    mode == "constant" ||
      (ndim(input) >= 2 && len(pad) // 2 < ndim(input) && (ndim(input) >= 3 || len(pad) == 2)),
    "pad: mode \"" +
      mode +
      "\" pads the axes after [N, C] or [C], so " +
      len(pad) +
      " numbers are too many: they pad " +
      len(pad) // 2 +
      " axes of an input of rank " +
      ndim(input),
  )
  assert(mode == "constant" || value == none, "pad: only mode \"constant\" takes a value")
  let padded = input
  for i in 0..len(pad) // 2 {
    padded = _pad_axis(
      padded,
      ndim(input) - 1 - i,
      pad[2 * i],
      pad[2 * i + 1],
      mode,
      if value == none { 0 } else { value },
    )
  }
  padded
}

fn _pad_axis(
  input: tensor,
  axis: int,
  before: int,
  after: int,
  mode: string,
  value: number,
) -> tensor {
  let n = size(input, axis)
  let cropped_before = if before < 0 { -before } else { 0 }
  let cropped_after = if after < 0 { -after } else { 0 }
  let x = if before >= 0 && after >= 0 {
    input
  } else {
    narrow(input, axis, cropped_before, n - cropped_before - cropped_after)
  }
  let (low, high) = (before + cropped_before, after + cropped_after)
  let m = size(x, axis)
  let rank = ndim(x)
  if low == 0 && high == 0 {
    x
  } else if mode == "constant" {
    pad_constant(
      x,
      [if i == axis { low } else { 0 } for i in 0..rank],
      [if i == axis { high } else { 0 } for i in 0..rank],
      value,
    )
  } else if mode == "reflect" {
    assert(
      low < m && high < m,
      "pad: reflection needs a padding smaller than the size " +
        m +
        ", not " +
        (if low < m { high } else { low }),
    )
    cat(
      [flip(narrow(x, axis, 1, low), [axis]), x, flip(narrow(x, axis, m - 1 - high, high), [axis])],
      axis,
    )
  } else if mode == "replicate" {
    let sizes = x.shape
    let first = expand(narrow(x, axis, 0, 1), sizes[:axis] + [low] + sizes[axis + 1:])
    let last = expand(narrow(x, axis, m - 1, 1), sizes[:axis] + [high] + sizes[axis + 1:])
    cat([first, x, last], axis)
  } else {
    assert(
      low <= m && high <= m,
      "pad: circular padding is at most the size " +
        m +
        ", not " +
        (if low <= m { high } else { low }),
    )
    cat([narrow(x, axis, m - low, low), x, narrow(x, axis, 0, high)], axis)
  }
}

## The windows of [N, C, H, W] (or [C, H, W]) as columns: [N, C * kernel, positions] (im2col).
fn unfold[T: number, C, H, W](
  input: T[*S, C, H, W],
  kernel_size: int | [int],
  dilation: int | [int] = 1,
  padding: int | [int] = 0,
  stride: int | [int] = 1,
) -> tensor {
  let (k, d) = (
    for_each_axis(kernel_size, 2, "kernel_size"),
    for_each_axis(dilation, 2, "dilation"),
  )
  let (p, s) = (for_each_axis(padding, 2, "padding"), for_each_axis(stride, 2, "stride"))
  assert(len(S) <= 1, "unfold takes [N, C, H, W] or [C, H, W]")
  let rows = (H + 2 * p[0] - d[0] * (k[0] - 1) - 1) // s[0] + 1
  let columns = (W + 2 * p[1] - d[1] * (k[1] - 1) - 1) // s[1] + 1
  assert(
    rows > 0 && columns > 0,
    "unfold: the window of " +
      k +
      " elements with dilation " +
      d +
      " does not fit the input " +
      [H, W] +
      " with padding " +
      p,
  )
  let x = reshape(input, [product_of(S), C, H, W])
  y[n, c, u in 0..k[0], v in 0..k[1], i in 0..rows, j in 0..columns] = x[
    n,
    c,
    i * s[0] + u * d[0] - p[0],
    j * s[1] + v * d[1] - p[1]
  ]
  reshape(y, S + [C * k[0] * k[1], rows * columns])
}

## Adds columns up to images: the transposition of `unfold` (col2im).
fn fold[T: number, R, L](
  input: T[*S, R, L],
  output_size: int | [int],
  kernel_size: int | [int],
  dilation: int | [int] = 1,
  padding: int | [int] = 0,
  stride: int | [int] = 1,
) -> tensor {
  let (size, k) = (
    for_each_axis(output_size, 2, "output_size"),
    for_each_axis(kernel_size, 2, "kernel_size"),
  )
  let (d, p) = (for_each_axis(dilation, 2, "dilation"), for_each_axis(padding, 2, "padding"))
  let s = for_each_axis(stride, 2, "stride")
  let (area, rows) = (k[0] * k[1], (size[0] + 2 * p[0] - d[0] * (k[0] - 1) - 1) // s[0] + 1)
  let columns = (size[1] + 2 * p[1] - d[1] * (k[1] - 1) - 1) // s[1] + 1
  assert(len(S) <= 1, "fold takes [N, C * kernel, positions] or [C * kernel, positions]")
  assert(
    R % area == 0,
    "fold: axis -2 has size " +
      R +
      ", which is no multiple of the " +
      area +
      " elements of a window",
  )
  assert(
    L == rows * columns,
    "fold: axis -1 has size " +
      L +
      ", but the window has " +
      rows * columns +
      " positions, " +
      rows +
      " x " +
      columns,
  )
  let x = reshape(input, [product_of(S), R // area, k[0], k[1], rows, columns])
  y[n, c, i in 0..size[0], j in 0..size[1]] =
    sum over u, v: x[n, c, u, v, (i + p[0] - u * d[0]) / s[0], (j + p[1] - v * d[1]) / s[1]]
  reshape(y, S + [R // area, size[0], size[1]])
}

## Rearranges [..., C r², H, W] to [..., C, H r, W r] (Shi et al. 2016).
fn pixel_shuffle[T: any, C, H, W](input: T[*S, C, H, W], upscale_factor: int) -> tensor {
  let r = upscale_factor
  assert(
    r > 0 && C % (r * r) == 0,
    "pixel_shuffle: the " +
      C +
      " channels are no multiple of " +
      r * r +
      ", the square of the factor " +
      r,
  )
  let n = len(S)
  let apart = reshape(input, S + [C // (r * r), r, r, H, W])
  let order = [i for i in 0..n] + [n, n + 3, n + 1, n + 4, n + 2]
  reshape(permute(apart, order), S + [C // (r * r), H * r, W * r])
}

## Rearranges [..., C, H r, W r] to [..., C r², H, W]: the inverse of `pixel_shuffle`.
fn pixel_unshuffle[T: any, C, H, W](input: T[*S, C, H, W], downscale_factor: int) -> tensor {
  let r = downscale_factor
  check_least(r, 1, "pixel_unshuffle: the downscale_factor")
  assert(
    H % r == 0 && W % r == 0,
    "pixel_unshuffle: the sizes " + [H, W] + " are no multiples of the factor " + r,
  )
  let n = len(S)
  let apart = reshape(input, S + [C, H // r, r, W // r, r])
  let order = [i for i in 0..n] + [n, n + 2, n + 4, n + 1, n + 3]
  reshape(permute(apart, order), S + [C * r * r, H // r, W // r])
}

## Changes the resolution of [N, C, ...] to `size` or by `scale_factor`. `mode`: `"nearest"`, `"nearest-exact"`, `"linear"`, `"bilinear"`, `"trilinear"`,
## `"bicubic"` (Keys 1981, a = -0.75) or `"area"`. With `align_corners` the centres of the corner elements stay where they are.
fn interpolate[T: float](
  input: T[*S],
  size: (int | [int])? = none,
  scale_factor: (float | [float])? = none,
  mode: string = "nearest",
  align_corners: bool? = none,
) -> tensor {
  let rank = len(S) - 2
  assert(
    rank >= 1 && rank <= 3,
    "interpolate takes [N, C, L], [N, C, H, W] or [N, C, D, H, W], not " + S,
  )
  assert(
    (size == none) != (scale_factor == none),
    "interpolate needs either a size or a scale_factor",
  )
  let nearest = mode == "nearest" || mode == "nearest-exact" || mode == "area"
  let smooth =
    (mode == "linear" && rank == 1) ||
      ((mode == "bilinear" || mode == "bicubic") && rank == 2) ||
      (mode == "trilinear" && rank == 3)
  assert(
    nearest || smooth,
    "interpolate has no mode \"" +
      mode +
      "\" for the " +
      rank +
      " spatial axes of an input of rank " +
      len(S),
  )
  assert(
    align_corners == none || smooth,
    "interpolate: align_corners is for linear and cubic modes",
  )
  let factors = if scale_factor == none {
    none
  } else if is_list(scale_factor) {
    scale_factor
  } else {
    [scale_factor for i in 0..rank]
  }
  let sizes = if factors == none {
    for_each_axis(size, rank, "size")
  } else {
    [_scaled(S[i + 2], factors[i]) for i in 0..rank]
  }
  for n in sizes { assert(n >= 1, "interpolate: the sizes of the result are at least 1, not " + n) }
  if mode == "area" {
    adaptive_avg_pool(input, sizes)
  } else {
    let x = input
    for i in 0..rank {
      let step = if factors == none {
        S[i + 2] / sizes[i]
      } else if _is_whole(factors[i]) || _is_whole(1 / factors[i]) {
        1.0 / factors[i]
      } else if _by_sizes(mode, rank, S[i + 2], sizes[i]) {
        S[i + 2] / sizes[i]
      } else {
        1.0 / factors[i]
      }
      x = _resample(x, i + 2, S[i + 2], sizes[i], step, mode, align_corners == true)
    }
    x
  }
}

fn _is_whole(factor: float) -> bool = factor >= 1 && factor % 1 == 0

## The size of an axis that had n elements; n may be a run-time size where the factor is whole, or one part in a whole number.
fn _scaled(n: dim, factor: float) -> dim =
  if _is_whole(factor) {
    n * floor_int(factor)
  } else if _is_whole(1 / factor) {
    n // floor_int(1 / factor)
  } else {
    trunc_int(n * factor)
  }

## Whether an axis of size n that a factor makes m long is resampled as if that size had been asked for. PyTorch does so where linear modes
## leave the size as it is, and nearest neighbours of several axes keep or double it.
fn _by_sizes(mode: string, rank: int, n: int, m: int) -> bool =
  if mode == "nearest" {
    rank > 1 && (m == n || m == 2 * n)
  } else {
    m == n && mode != "nearest-exact" && mode != "bicubic"
  }

## Resamples one axis of size n to m; `step` is the distance of neighbouring results in elements of the input.
fn _resample(
  input: tensor,
  axis: int,
  n: dim,
  m: dim,
  step: float,
  mode: string,
  align: bool,
) -> tensor {
  let at = cast(arange(end: m), f64)
  let last = n - 1
  if mode == "nearest" {
    index_select(input, axis, cast(clamp(floor(at * step), max: last), i64))
  } else if mode == "nearest-exact" {
    index_select(input, axis, cast(clamp(floor((at + 0.5) * step), max: last), i64))
  } else {
    let place = if align {
      at * (cast(last, f64) / clamp(m - 1, min: 1))
    } else {
      (at + 0.5) * step - 0.5
    }
    let exact = if mode == "bicubic" { place } else { clamp(place, min: 0) }
    let base = floor(exact)
    let along = [if i == axis { m } else { 1 } for i in 0..ndim(input)]
    let t = exact - base
    let taps = if mode == "bicubic" { [-1, 0, 1, 2] } else { [0, 1] }
    let result = none
    for k in taps {
      let weight = if mode == "bicubic" { _cubic(abs(t - k)) } else if k == 0 { 1 - t } else { t }
      let index = cast(clamp(base + k, min: 0, max: last), i64)
      let part = index_select(input, axis, index) * reshape(cast(weight, input.dtype), along)
      result = if result == none { part } else { result + part }
    }
    result
  }
}

## The weight of an element at distance `d` in cubic convolution (Keys 1981) with a = -0.75.
fn _cubic(d: tensor) -> tensor {
  let a = -0.75
  where(d <= 1, ((a + 2) * d - (a + 3)) * d * d + 1, a * (((d - 5) * d + 8) * d - 4))
}
