tdsl 1

## Products large enough for the largest tiles, whose kernels nvcc.test.ts compiles.

dim K, N, B

export fn activated(x: bf16[4096, K], w: bf16[4096, K]) -> bf16[4096, 4096] = gelu(x @ t(w))

export fn scores(q: bf16[B, N, 8, 64], k: bf16[B, N, 8, 64]) -> bf16[B, 8, N, N] =
  transpose(q, 1, 2) @ transpose(transpose(k, 1, 2), 2, 3)

export fn linear(x: f32[4096, K], w: f32[4096, K], bias: f32[4096]) -> f32[4096, 4096] = x @ t(w) + bias

export fn stacked(a: bf16[4096, K], b: bf16[K, 4096]) -> bf16[4096, 4096] = a @ b

export fn weights(x: bf16[K, 4096], dy: bf16[K, 4096]) -> bf16[4096, 4096] = t(x) @ dy

export fn plain(a: f32[4096, K], b: f32[K, 4096]) -> f32[4096, 4096] = a @ b
