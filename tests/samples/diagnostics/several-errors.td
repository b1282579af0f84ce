tdsl 1
# Each error is reported once, and what follows from it is not.
dim B

fn f(x: f32[B, 3], w: f32[4, 2]) -> f32[B, 2] {
  let h = x @ w
  let g = relu(h) + 1
  let k = exp(g)
  let p = softmax(x, dim: 2)
  k + p
}

fn g(x: f32[B, 3], w: f32[4, 2]) -> f32[B, 2] = f(x, w)
