tdsl 1
# Transcriptions of the reference cases about training.
import std.optim { Adam, SGD }

model Weights { param w: f32[3] = zeros }

fn logistic_loss(net: Weights, X: f32[4, 3], y: f32[4]) -> f32 =
  binary_cross_entropy_with_logits(mv(X, net.w), y)

fn train_logistic_regression_bce(
  X: f32[4, 3],
  y: f32[4],
  net: mut Weights,
  opt: mut SGD(net, lr: 0.5),
) -> (f32[3], f32[5]) {
  let losses = []
  for epoch in 0..5 {
    let (l, g) = value_and_grad(logistic_loss, wrt: net)(net, X, y)
    opt.step(net, g)
    losses = losses + [l]
  }
  (net.w, stack(losses))
}

model Cubic {
  param w: f64[1, 3] = zeros
  param b: f64[1] = zeros
}

fn cubic_loss(net: Cubic, P: f64[n, 3], y: f64[n, 1]) -> f64 = mse_loss(linear(P, net.w, net.b), y)

fn train_poly_fit_sgd_trace(
  x: f64[10],
  noise: f64[10],
  net: mut Cubic,
  opt: mut SGD(net, lr: 0.05),
) -> (f64[1, 3], f64[1], f64[8], f64[8]) {
  let P = stack((x, x ** 2, x ** 3), dim: 1)
  let y = unsqueeze(1.2 * x - 3.4 * x ** 2 + 5.6 * x ** 3 + 5 + noise, 1)
  let (train, test) = ([], [])
  for epoch in 0..8 {
    opt.step(net, grad(cubic_loss, wrt: net)(net, P[:6], y[:6]))
    train = train + [cubic_loss(net, P[:6], y[:6])]
    test = test + [cubic_loss(net, P[6:], y[6:])]
  }
  (net.w, net.b, stack(train), stack(test))
}

model Plane { param x: f32[2] = zeros }

## Himmelblau's function, which has four minima of 0.
fn himmelblau(net: Plane) -> f32 =
  (net.x[0] ** 2 + net.x[1] - 11) ** 2 + (net.x[0] + net.x[1] ** 2 - 7) ** 2

# 20000 steps, of which each 2000th is recorded: the point after it and the height before it.
fn descend(net: mut Plane, opt: mut Adam(net, lr: 0.001), x0: f32[2]) -> (f32[10, 2], f32[10]) {
  net.x = x0
  let (rows, _) = scan 0..10 from 0 { (count, _) =>
    let (f, g) = value_and_grad(himmelblau, wrt: net)(net)
    opt.step(net, g)
    let row = (net.x, f)
    let steps = fold 1..2000 from count { (n, _) =>
      opt.step(net, grad(himmelblau, wrt: net)(net))
      n + 1
    }
    (steps, row)
  }
  rows
}

fn train_himmelblau_adam_from_4_0(
  x0: f32[2],
  net: mut Plane,
  opt: mut Adam(net, lr: 0.001),
) -> (f32[10, 2], f32[10]) = descend(net, opt, x0)

fn train_himmelblau_adam_from_m4_0(
  x0: f32[2],
  net: mut Plane,
  opt: mut Adam(net, lr: 0.001),
) -> (f32[10, 2], f32[10]) = descend(net, opt, x0)

model Xor {
  param w1: f32[4, 2] = zeros
  param b1: f32[4] = zeros
  param w2: f32[1, 4] = zeros
  param b2: f32[1] = zeros
  fn forward(x: f32[4, 2]) -> f32[4] = flatten(linear(tanh(linear(x, w1, b1)), w2, b2))
}

fn xor_loss(net: Xor, X: f32[4, 2], y: f32[4]) -> f32 = binary_cross_entropy_with_logits(net(X), y)

fn train_xor_mlp_learns(
  X: f32[4, 2],
  y: f32[4],
  w1: f32[4, 2],
  w2: f32[1, 4],
  net: mut Xor,
  opt: mut Adam(net, lr: 0.05),
) -> (f32[4], f32[4]) {
  net.w1 = w1
  net.w2 = w2
  # The predictions are those before the last step.
  let (out, _) = scan 0..4 from 0 { (count, _) =>
    let (l, g) = value_and_grad(xor_loss, wrt: net)(net, X, y)
    opt.step(net, g)
    let (steps, z) = fold 1..100 from (count, zeros([4])) { (state, _) =>
      let z = net(X)
      opt.step(net, grad(xor_loss, wrt: net)(net, X, y))
      (state[0] + 1, z)
    }
    (steps, (l, z))
  }
  (cast(out[1][-1] > 0, f32), out[0])
}

fn train_momentum_leaky_average(g: f32[4, 2]) -> f32[4, 2] {
  let v = zeros_like(g[0])
  let steps = []
  for t in 0..4 {
    v = 0.5 * v + g[t]
    steps = steps + [v]
  }
  stack(steps)
}

# The polynomial of degree 3 through the first samples in closed form, and its errors on them and on the last four.
fn fit_cubic(x: f64[10], noise: f64[10], samples: int) -> (f64[4], f64, f64) {
  let P = stack((x, x ** 2, x ** 3), dim: 1)
  let y = 1.2 * x - 3.4 * x ** 2 + 5.6 * x ** 3 + 5 + noise
  let with_ones = Q => cat((ones([size(Q, 0), 1], dtype: f64), Q), 1)
  let w = pinv(with_ones(P[:samples])) @ y[:samples]
  let mse = (Q, target) => mse_loss(with_ones(Q) @ w, target)
  (w, mse(P[:samples], y[:samples]), mse(P[6:], y[6:]))
}

fn train_poly_fit_cubic(x: f64[10], noise: f64[10]) -> (f64[4], f64, f64) = fit_cubic(x, noise, 6)

# With fewer samples than coefficients it is the solution of least norm.
fn train_poly_fit_few_samples_overfits(x: f64[10], noise: f64[10]) -> (f64[4], f64, f64) =
  fit_cubic(x, noise, 2)
