tdsl 1
# Convolutions large enough for the largest tiles of exact products, whose kernels nvcc.test.ts compiles.

dim B

export fn padded(x: f32[B, 64, 56, 56], w: f32[64, 64, 3, 3]) -> f32[B, 64, 56, 56] = relu(conv2d(x, w, padding: 1))

export fn strided(x: f32[B, 3, 224, 224], w: f32[64, 3, 7, 7]) -> f32[B, 64, 112, 112] =
  conv2d(x, w, padding: 3, stride: 2)

## By the input, which is summed across the weights, and by the weights, whose window lies along the sum.
export fn gradients(x: f32[B, 64, 56, 56], w: f32[64, 64, 3, 3]) -> (f32[B, 64, 56, 56], f32[64, 64, 3, 3]) =
  grad((x: f32[B, 64, 56, 56], w: f32[64, 64, 3, 3]) => sum(conv2d(x, w, padding: 1) ** 2), wrt: [x, w])(x, w)
