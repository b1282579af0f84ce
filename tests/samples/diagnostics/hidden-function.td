tdsl 1
dim B, n

fn standardise(x: f32[B, n]) -> f32[B, n] {
  let mean = mean(x, dim: 0)
  let variance = mean((x - mean) ** 2, dim: 0)
  (x - mean) / sqrt(variance)
}

export fn f(x: f32[B, n]) -> f32[B, n] = standardise(x)
