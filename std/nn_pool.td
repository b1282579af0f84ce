tdsl 1
# Layers of pooling over windows, which `std.nn` gives as well.

## The largest element of each window.
model MaxPool1d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false,
) {
  fn forward(x: tensor) -> tensor = max_pool1d(x, kernel_size, stride, padding, dilation, ceil_mode)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding) +
      ", dilation=" +
      repr(dilation) +
      ", ceil_mode=" +
      repr(ceil_mode)
}

## The largest element of each window.
model MaxPool2d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false,
) {
  fn forward(x: tensor) -> tensor = max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding) +
      ", dilation=" +
      repr(dilation) +
      ", ceil_mode=" +
      repr(ceil_mode)
}

## The largest element of each window.
model MaxPool3d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  dilation: int | [int] = 1,
  ceil_mode: bool = false,
) {
  fn forward(x: tensor) -> tensor = max_pool3d(x, kernel_size, stride, padding, dilation, ceil_mode)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding) +
      ", dilation=" +
      repr(dilation) +
      ", ceil_mode=" +
      repr(ceil_mode)
}

## The mean of each window.
model AvgPool1d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
) {
  fn forward(x: tensor) -> tensor =
    avg_pool1d(x, kernel_size, stride, padding, ceil_mode, count_include_pad)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(for_each_axis(kernel_size, 1, "kernel_size")) +
      ", stride=" +
      repr(for_each_axis(if stride == none { kernel_size } else { stride }, 1, "stride")) +
      ", padding=" +
      repr(for_each_axis(padding, 1, "padding"))
}

## The mean of each window.
model AvgPool2d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
  divisor_override: int? = none,
) {
  fn forward(x: tensor) -> tensor =
    avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding)
}

## The mean of each window.
model AvgPool3d(
  kernel_size: int | [int],
  stride: (int | [int])? = none,
  padding: int | [int] = 0,
  ceil_mode: bool = false,
  count_include_pad: bool = true,
  divisor_override: int? = none,
) {
  fn forward(x: tensor) -> tensor =
    avg_pool3d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)

  fn extra_repr() -> string =
    "kernel_size=" +
      repr(kernel_size) +
      ", stride=" +
      repr(if stride == none { kernel_size } else { stride }) +
      ", padding=" +
      repr(padding)
}

## Means over windows that cover the image as evenly as possible.
model AdaptiveAvgPool2d(output_size: int | [int?]) {
  fn forward(x: tensor) -> tensor = adaptive_avg_pool2d(x, output_size)

  fn extra_repr() -> string = "output_size=" + repr(output_size)
}
