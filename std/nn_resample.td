tdsl 1
# Layers that change resolution or arrangement, which `std.nn` gives as well: pooling, unpooling, padding, folding, shuffling.

## Means over windows that cover the last 1 axes as evenly as possible.
model AdaptiveAvgPool1d(output_size: int | [int?]) {
  fn forward(x: tensor) -> tensor = adaptive_avg_pool1d(x, output_size)

  fn extra_repr() -> string = "output_size=" + repr(output_size)
}

## Means over windows that cover the last 3 axes as evenly as possible.
model AdaptiveAvgPool3d(output_size: int | [int?]) {
  fn forward(x: tensor) -> tensor = adaptive_avg_pool3d(x, output_size)

  fn extra_repr() -> string = "output_size=" + repr(output_size)
}

## The largest elements over windows that cover the last 1 axes as evenly as possible.
model AdaptiveMaxPool1d(output_size: int | [int?]) {
  fn forward(x: tensor) -> tensor = adaptive_max_pool1d(x, output_size)

  fn extra_repr() -> string = "output_size=" + repr(output_size)
}

## The largest elements over windows that cover the last 2 axes as evenly as possible.
model AdaptiveMaxPool2d(output_size: int | [int?]) {
  fn forward(x: tensor) -> tensor = adaptive_max_pool2d(x, output_size)

  fn extra_repr() -> string = "output_size=" + repr(output_size)
}

## The largest elements over windows that cover the last 3 axes as evenly as possible.
model AdaptiveMaxPool3d(output_size: int | [int?]) {
  fn forward(x: tensor) -> tensor = adaptive_max_pool3d(x, output_size)

  fn extra_repr() -> string = "output_size=" + repr(output_size)
}

## The p-norm of each window of [N, C, L].
model LPPool1d(
  norm_type: float,
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  ceil_mode: bool = false,
) {
  fn forward(x: tensor) -> tensor = lp_pool1d(x, norm_type, kernel_size, stride, ceil_mode)

  fn extra_repr() -> string =
    "norm_type=" +
      repr(norm_type) +
      ", kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(stride) +
      ", ceil_mode=" +
      repr(ceil_mode)
}

## The p-norm of each window of [N, C, H, W].
model LPPool2d(
  norm_type: float,
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  ceil_mode: bool = false,
) {
  fn forward(x: tensor) -> tensor = lp_pool2d(x, norm_type, kernel_size, stride, ceil_mode)

  fn extra_repr() -> string =
    "norm_type=" +
      repr(norm_type) +
      ", kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(stride) +
      ", ceil_mode=" +
      repr(ceil_mode)
}

## What layers that undo a pooling of `n` axes print.
fn _unpool_repr(
  n: int,
  kernel_size: int | [int],
  stride: (int | [int])?,
  padding: int | [int],
) -> string {
  let window = for_each_axis(kernel_size, n, "kernel_size")
  let step = if stride == none { window } else { for_each_axis(stride, n, "stride") }
  let sides = for_each_axis(padding, n, "padding")
  "kernel_size=" + repr(window) + ", stride=" + repr(step) + ", padding=" + repr(sides)
}

## Puts the values of `max_pool1d` back at the places that their indices hold.
model MaxUnpool1d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
) {
  fn forward(x: tensor, indices: tensor, output_size: [int]? = none) -> tensor =
    max_unpool1d(x, indices, kernel_size, stride, padding, output_size)

  fn extra_repr() -> string = _unpool_repr(1, kernel_size, stride, padding)
}

## Puts the values of `max_pool2d` back at the places that their indices hold.
model MaxUnpool2d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
) {
  fn forward(x: tensor, indices: tensor, output_size: [int]? = none) -> tensor =
    max_unpool2d(x, indices, kernel_size, stride, padding, output_size)

  fn extra_repr() -> string = _unpool_repr(2, kernel_size, stride, padding)
}

## Puts the values of `max_pool3d` back at the places that their indices hold.
model MaxUnpool3d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
) {
  fn forward(x: tensor, indices: tensor, output_size: [int]? = none) -> tensor =
    max_unpool3d(x, indices, kernel_size, stride, padding, output_size)

  fn extra_repr() -> string = _unpool_repr(3, kernel_size, stride, padding)
}

## Rearranges channels into a finer image.
model PixelShuffle(upscale_factor: int) {
  fn forward(x: tensor) -> tensor = pixel_shuffle(x, upscale_factor)

  fn extra_repr() -> string = "upscale_factor=" + repr(upscale_factor)
}

## Rearranges an image into more channels.
model PixelUnshuffle(downscale_factor: int) {
  fn forward(x: tensor) -> tensor = pixel_unshuffle(x, downscale_factor)

  fn extra_repr() -> string = "downscale_factor=" + repr(downscale_factor)
}

## Changes the resolution, see `interpolate`.
model Upsample(
  size: (int | [int])? = none,
  scale_factor: (float | [float])? = none,
  mode: string = "nearest",
  align_corners: bool? = none,
) {
  fn forward(x: tensor) -> tensor = interpolate(x, size, scale_factor, mode, align_corners)

  fn extra_repr() -> string =
    (if size == none { "scale_factor=" + repr(scale_factor) } else { "size=" + repr(size) }) +
      ", mode=" +
      mode
}

## What layers of moving windows print.
fn _window_repr(
  kernel_size: int | [int],
  dilation: int | [int],
  padding: int | [int],
  stride: int | [int],
) -> string =
  "kernel_size=" +
    repr(kernel_size) +
    ", dilation=" +
    repr(dilation) +
    ", padding=" +
    repr(padding) +
    ", stride=" +
    repr(stride)

## The windows of images as columns.
model Unfold(
  kernel_size: int | [int],
  dilation: int | [int] = 1,
  padding: int | [int] = 0,
  stride: int | [int] = 1,
) {
  fn forward(x: tensor) -> tensor = unfold(x, kernel_size, dilation, padding, stride)

  fn extra_repr() -> string = _window_repr(kernel_size, dilation, padding, stride)
}

## Adds columns up to images.
model Fold(
  output_size: int | [int],
  kernel_size: int | [int],
  dilation: int | [int] = 1,
  padding: int | [int] = 0,
  stride: int | [int] = 1,
) {
  fn forward(x: tensor) -> tensor = fold(x, output_size, kernel_size, dilation, padding, stride)

  fn extra_repr() -> string =
    "output_size=" + repr(output_size) + ", " + _window_repr(kernel_size, dilation, padding, stride)
}

## Splits the axis `dim` into axes of the sizes `unflattened_size`.
model Unflatten(dim: int, unflattened_size: [int]) {
  fn forward(x: tensor) -> tensor {
    let at = axis_of(dim, ndim(x))
    reshape(x, x.shape[:at] + unflattened_size + x.shape[at + 1:])
  }

  fn extra_repr() -> string = "dim=" + repr(dim) + ", unflattened_size=" + repr(unflattened_size)
}

## `n` numbers of padding for each side, or as they are in a list.
fn _sides(padding: int | [int], n: int) -> [int] = for_each_axis(padding, n, "padding")

## Padding of the last 2 axes: one number, or pairs from the last axis on. With zeros.
model ZeroPad2d(padding: int | [int]) {
  let sides = _sides(padding, 4)
  fn forward(x: tensor) -> tensor = pad(x, sides, "constant")

  fn extra_repr() -> string = repr(sides)
}

## Padding of the last 1 axes: one number, or pairs from the last axis on. With `value`.
model ConstantPad1d(padding: int | [int], value: float) {
  let sides = _sides(padding, 2)
  fn forward(x: tensor) -> tensor = pad(x, sides, "constant", value)

  fn extra_repr() -> string = "padding=" + repr(sides) + ", value=" + repr(value)
}

## Padding of the last 2 axes: one number, or pairs from the last axis on. With `value`.
model ConstantPad2d(padding: int | [int], value: float) {
  let sides = _sides(padding, 4)
  fn forward(x: tensor) -> tensor = pad(x, sides, "constant", value)

  fn extra_repr() -> string = "padding=" + repr(sides) + ", value=" + repr(value)
}

## Padding of the last 3 axes: one number, or pairs from the last axis on. With `value`.
model ConstantPad3d(padding: int | [int], value: float) {
  let sides = _sides(padding, 6)
  fn forward(x: tensor) -> tensor = pad(x, sides, "constant", value)

  fn extra_repr() -> string = "padding=" + repr(sides) + ", value=" + repr(value)
}

## Padding of the last 1 axes: one number, or pairs from the last axis on. The elements are mirrored at the edge.
model ReflectionPad1d(padding: int | [int]) {
  let sides = _sides(padding, 2)
  fn forward(x: tensor) -> tensor = pad(x, sides, "reflect")

  fn extra_repr() -> string = repr(sides)
}

## Padding of the last 2 axes: one number, or pairs from the last axis on. The elements are mirrored at the edge.
model ReflectionPad2d(padding: int | [int]) {
  let sides = _sides(padding, 4)
  fn forward(x: tensor) -> tensor = pad(x, sides, "reflect")

  fn extra_repr() -> string = repr(sides)
}

## Padding of the last 3 axes: one number, or pairs from the last axis on. The elements are mirrored at the edge.
model ReflectionPad3d(padding: int | [int]) {
  let sides = _sides(padding, 6)
  fn forward(x: tensor) -> tensor = pad(x, sides, "reflect")

  fn extra_repr() -> string = repr(sides)
}

## Padding of the last 1 axes: one number, or pairs from the last axis on. The edge is repeated.
model ReplicationPad1d(padding: int | [int]) {
  let sides = _sides(padding, 2)
  fn forward(x: tensor) -> tensor = pad(x, sides, "replicate")

  fn extra_repr() -> string = repr(sides)
}

## Padding of the last 2 axes: one number, or pairs from the last axis on. The edge is repeated.
model ReplicationPad2d(padding: int | [int]) {
  let sides = _sides(padding, 4)
  fn forward(x: tensor) -> tensor = pad(x, sides, "replicate")

  fn extra_repr() -> string = repr(sides)
}

## Padding of the last 3 axes: one number, or pairs from the last axis on. The edge is repeated.
model ReplicationPad3d(padding: int | [int]) {
  let sides = _sides(padding, 6)
  fn forward(x: tensor) -> tensor = pad(x, sides, "replicate")

  fn extra_repr() -> string = repr(sides)
}
