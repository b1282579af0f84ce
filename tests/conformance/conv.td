tdsl 1
# Transcriptions of the reference cases about convolutions that are more than one expression.

fn conv_conv_bn_relu(x: f32[2, 1, 3, 3], w: f32[2, 1, 3, 3], g: f32[2], b: f32[2]) -> f32[2, 2, 3, 3] {
  let h = conv2d(x, w, padding: 1)
  relu(batch_norm(h, none, none, g, b, training: true))
}
