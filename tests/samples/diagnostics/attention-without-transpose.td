tdsl 1
# The keys are not transposed.
dim B

fn scores(q: f32[B, 16, 64], k: f32[B, 16, 64]) -> f32[B, 16, 16] {
  let scale = 64.0 ** 0.5
  softmax(q @ k / scale, dim: -1)
}
