tdsl 1

## What bench/gpu/check.py checks and times on a GPU, against torch.

dim M, K, N, B, C, O, T

export fn matmul(a: f32[M, K], b: f32[K, N]) -> f32[M, N] = a @ b

export fn linear_gelu(x: f32[M, K], w: f32[N, K], bias: f32[N]) -> f32[M, N] = gelu(x @ t(w) + bias)

export fn linear_bf16(x: bf16[M, K], w: bf16[N, K]) -> bf16[M, N] = x @ t(w)

export fn matmul_bf16(a: bf16[M, K], b: bf16[K, N]) -> bf16[M, N] = a @ b

export fn gelu_mul(x: f32[M, N], y: f32[M, N]) -> f32[M, N] = gelu(x) * y

export fn row_softmax(x: f32[M, N]) -> f32[M, N] = softmax(x, dim: 1)

export fn softmax_gradient(y: f32[M, N], g: f32[M, N]) -> f32[M, N] =
  y * (g - sum(y * g, dim: 1, keepdim: true))

export fn column_sum(x: f32[M, N]) -> f32[N] = sum(x, dim: 0)

export fn total(x: f32[M, N]) -> f32 = sum(x)

export fn convolution(x: f32[B, C, 32, 32], w: f32[O, C, 3, 3]) -> f32[B, O, 32, 32] =
  conv2d(x, w, padding: 1)

fn attend[F: float](q: F[B, T, 64], k: F[B, T, 64], v: F[B, T, 64]) -> F[B, T, 64] =
  softmax(q @ transpose(k, -2, -1) / 8.0, -1) @ v

fn attend_causal[F: float](q: F[B, T, 64], k: F[B, T, 64], v: F[B, T, 64]) -> F[B, T, 64] {
  let seen = arange(end: T) <= unsqueeze(arange(end: T), 1)
  softmax(where(seen, q @ transpose(k, -2, -1) / 8.0, -inf), -1) @ v
}

## Attention of B heads.
export fn attention(q: f32[B, T, 64], k: f32[B, T, 64], v: f32[B, T, 64]) -> f32[B, T, 64] =
  attend(q, k, v)

export fn attention_bf16(
  q: bf16[B, T, 64],
  k: bf16[B, T, 64],
  v: bf16[B, T, 64],
) -> bf16[B, T, 64] = attend(q, k, v)

export fn attention_causal(q: f32[B, T, 64], k: f32[B, T, 64], v: f32[B, T, 64]) -> f32[B, T, 64] =
  attend_causal(q, k, v)

## Its gradient by the query, the keys and the values, for a given cotangent.
export fn attention_gradient(
  q: f32[B, T, 64],
  k: f32[B, T, 64],
  v: f32[B, T, 64],
  g: f32[B, T, 64],
) -> (f32[B, T, 64], f32[B, T, 64], f32[B, T, 64]) =
  grad((q, k, v) => sum(attend(q, k, v) * g), wrt: [0, 1, 2])(q, k, v)

## Loops that one block runs: a small system of equations, and a recurrence.
export fn solve_64(a: f32[64, 64], b: f32[64, 8]) -> f32[64, 8] = solve(a + 64 * eye(64), b)

export fn recurrence(w: f32[32, 32], xs: f32[100, 4, 32]) -> f32[4, 32] =
  fold xs from zeros([4, 32]) { (h, x) => tanh(0.1 * (h @ w) + x) }
