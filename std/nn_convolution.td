tdsl 1
# Layers of convolutions, plain and transposed, which `std.nn` gives as well.

## Pads the input of a convolution by a mode other than zeros.
fn _padded(
  x: tensor,
  padding: int | [int] | string,
  kernel: [int],
  dilation: [int],
  mode: string,
) -> tensor {
  let rank = len(kernel)
  let sides = if is_string(padding) {
    assert(
      padding == "same" || padding == "valid",
      "padding is a number, a list, \"same\" or \"valid\", not \"" + padding + "\"",
    )
    [if padding == "valid" { 0 } else { dilation[i] * (kernel[i] - 1) } for i in 0..rank]
  } else {
    [2 * p for p in for_each_axis(padding, rank, "padding")]
  }
  let last_first = [sides[rank - 1 - i] for i in 0..rank]
  pad(x, [if side == 0 { n // 2 } else { n - n // 2 } for n in last_first for side in 0..2], mode)
}

## What a convolution prints: what differs from the defaults is named.
fn _conv_repr(
  in_channels: int,
  out_channels: int,
  kernel: [int],
  stride: int | [int],
  padding: int | [int] | string,
  output_padding: int | [int],
  dilation: int | [int],
  groups: int,
  bias: bool,
  padding_mode: string,
) -> string {
  let rank = len(kernel)
  let each = (size, name) => for_each_axis(size, rank, name)
  let differs = (sizes, usual) => len([n for n in sizes if n != usual]) > 0
  let text =
    repr(in_channels) +
      ", " +
      repr(out_channels) +
      ", kernel_size=" +
      repr(kernel) +
      ", stride=" +
      repr(each(stride, "stride"))
  if is_string(padding) {
    text = text + ", padding=" + padding
  } else {
    if differs(each(padding, "padding"), 0) {
      text = text + ", padding=" + repr(each(padding, "padding"))
    }
  }
  if differs(each(dilation, "dilation"), 1) {
    text = text + ", dilation=" + repr(each(dilation, "dilation"))
  }
  if differs(each(output_padding, "output_padding"), 0) {
    text = text + ", output_padding=" + repr(each(output_padding, "output_padding"))
  }
  if groups != 1 { text = text + ", groups=" + repr(groups) }
  if !bias { text = text + ", bias=False" }
  if padding_mode != "zeros" { text = text + ", padding_mode=" + padding_mode }
  text
}

## One-dimensional convolution of [N, C, L] or [C, L]. `padding` also "same" or "valid"; `padding_mode` "zeros", "reflect",
## "replicate" or "circular".
model Conv1d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] | string = 0,
  dilation: int | [int] = 1,
  groups: int = 1,
  bias: bool = true,
  padding_mode: string = "zeros",
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 1, "kernel_size")
  let inputs = channels_of_group(in_channels, out_channels, groups)
  let bound = 1.0 / (inputs * product_of(kernel)) ** 0.5
  param weight: real[out_channels, inputs, kernel[0]] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor {
    let b = if has_bias { bias } else { none }
    if padding_mode == "zeros" {
      conv1d(x, weight, b, stride, padding, dilation, groups)
    } else {
      let padded = _padded(x, padding, kernel, for_each_axis(dilation, 1, "dilation"), padding_mode)
      conv1d(padded, weight, b, stride, 0, dilation, groups)
    }
  }

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      0,
      dilation,
      groups,
      has_bias,
      padding_mode,
    )
}

## Two-dimensional convolution of [N, C, H, W] or [C, H, W]. `padding` also "same" or "valid"; `padding_mode` "zeros", "reflect",
## "replicate" or "circular".
model Conv2d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] | string = 0,
  dilation: int | [int] = 1,
  groups: int = 1,
  bias: bool = true,
  padding_mode: string = "zeros",
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 2, "kernel_size")
  let inputs = channels_of_group(in_channels, out_channels, groups)
  let bound = 1.0 / (inputs * product_of(kernel)) ** 0.5
  param weight: real[out_channels, inputs, kernel[0], kernel[1]] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor {
    let b = if has_bias { bias } else { none }
    if padding_mode == "zeros" {
      conv2d(x, weight, b, stride, padding, dilation, groups)
    } else {
      let padded = _padded(x, padding, kernel, for_each_axis(dilation, 2, "dilation"), padding_mode)
      conv2d(padded, weight, b, stride, 0, dilation, groups)
    }
  }

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      0,
      dilation,
      groups,
      has_bias,
      padding_mode,
    )
}

## Three-dimensional convolution of [N, C, D, H, W] or [C, D, H, W]. `padding` also "same" or "valid"; `padding_mode` "zeros", "reflect",
## "replicate" or "circular".
model Conv3d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] | string = 0,
  dilation: int | [int] = 1,
  groups: int = 1,
  bias: bool = true,
  padding_mode: string = "zeros",
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 3, "kernel_size")
  let inputs = channels_of_group(in_channels, out_channels, groups)
  let bound = 1.0 / (inputs * product_of(kernel)) ** 0.5
  param weight: real[out_channels, inputs, kernel[0], kernel[1], kernel[2]] = kaiming_uniform(
    a: 5.0 ** 0.5,
  )
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor {
    let b = if has_bias { bias } else { none }
    if padding_mode == "zeros" {
      conv3d(x, weight, b, stride, padding, dilation, groups)
    } else {
      let padded = _padded(x, padding, kernel, for_each_axis(dilation, 3, "dilation"), padding_mode)
      conv3d(padded, weight, b, stride, 0, dilation, groups)
    }
  }

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      0,
      dilation,
      groups,
      has_bias,
      padding_mode,
    )
}

## Transposed one-dimensional convolution of [N, C, L] or [C, L].
model ConvTranspose1d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] = 0,
  output_padding: int | [int] = 0,
  groups: int = 1,
  bias: bool = true,
  dilation: int | [int] = 1,
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 1, "kernel_size")
  let outputs = channels_of_group(out_channels, in_channels, groups)
  let bound = 1.0 / (outputs * product_of(kernel)) ** 0.5
  param weight: real[in_channels, outputs, kernel[0]] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor =
    conv_transpose1d(
      x,
      weight,
      if has_bias { bias } else { none },
      stride,
      padding,
      output_padding,
      groups,
      dilation,
    )

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      output_padding,
      dilation,
      groups,
      has_bias,
      "zeros",
    )
}

## Transposed two-dimensional convolution of [N, C, H, W] or [C, H, W].
model ConvTranspose2d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] = 0,
  output_padding: int | [int] = 0,
  groups: int = 1,
  bias: bool = true,
  dilation: int | [int] = 1,
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 2, "kernel_size")
  let outputs = channels_of_group(out_channels, in_channels, groups)
  let bound = 1.0 / (outputs * product_of(kernel)) ** 0.5
  param weight: real[in_channels, outputs, kernel[0], kernel[1]] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor =
    conv_transpose2d(
      x,
      weight,
      if has_bias { bias } else { none },
      stride,
      padding,
      output_padding,
      groups,
      dilation,
    )

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      output_padding,
      dilation,
      groups,
      has_bias,
      "zeros",
    )
}

## Transposed three-dimensional convolution of [N, C, D, H, W] or [C, D, H, W].
model ConvTranspose3d(
  in_channels: int,
  out_channels: int,
  kernel_size: int | [int],
  stride: int | [int] = 1,
  padding: int | [int] = 0,
  output_padding: int | [int] = 0,
  groups: int = 1,
  bias: bool = true,
  dilation: int | [int] = 1,
) {
  let has_bias = bias
  let kernel = for_each_axis(kernel_size, 3, "kernel_size")
  let outputs = channels_of_group(out_channels, in_channels, groups)
  let bound = 1.0 / (outputs * product_of(kernel)) ** 0.5
  param weight: real[in_channels, outputs, kernel[0], kernel[1], kernel[2]] = kaiming_uniform(
    a: 5.0 ** 0.5,
  )
  if has_bias { param bias: real[out_channels] = uniform(a: -bound, b: bound) }

  fn forward(x: tensor) -> tensor =
    conv_transpose3d(
      x,
      weight,
      if has_bias { bias } else { none },
      stride,
      padding,
      output_padding,
      groups,
      dilation,
    )

  fn extra_repr() -> string =
    _conv_repr(
      in_channels,
      out_channels,
      kernel,
      stride,
      padding,
      output_padding,
      dilation,
      groups,
      has_bias,
      "zeros",
    )
}
