tdsl 1

## What bench/gpu/check.py checks and times on a GPU, against torch.

dim M, K, N, B, C, O

export fn matmul(a: f32[M, K], b: f32[K, N]) -> f32[M, N] = a @ b

export fn linear_gelu(x: f32[M, K], w: f32[N, K], bias: f32[N]) -> f32[M, N] = gelu(x @ t(w) + bias)

export fn linear_bf16(x: bf16[M, K], w: bf16[N, K]) -> bf16[M, N] = x @ t(w)

export fn gelu_mul(x: f32[M, N], y: f32[M, N]) -> f32[M, N] = gelu(x) * y

export fn row_softmax(x: f32[M, N]) -> f32[M, N] = softmax(x, dim: 1)

export fn softmax_gradient(y: f32[M, N], g: f32[M, N]) -> f32[M, N] = y * (g - sum(y * g, dim: 1, keepdim: true))

export fn column_sum(x: f32[M, N]) -> f32[N] = sum(x, dim: 0)

export fn total(x: f32[M, N]) -> f32 = sum(x)

export fn convolution(x: f32[B, C, 32, 32], w: f32[O, C, 3, 3]) -> f32[B, O, 32, 32] = conv2d(x, w, padding: 1)
