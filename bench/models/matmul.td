tdsl 1

dim n

export fn matmul(a: f32[n, n], b: f32[n, n]) -> f32[n, n] = a @ b
