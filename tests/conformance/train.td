tdsl 1
# Transcriptions of the reference cases about training.
import std.optim { Adam, SGD }

model Weights { param w: f32[3] = zeros }

fn logistic_loss(net: Weights, X: f32[4, 3], y: f32[4]) -> f32 = binary_cross_entropy_with_logits(mv(X, net.w), y)

fn train_logistic_regression_bce(X: f32[4, 3], y: f32[4], net: mut Weights, opt: mut SGD(net, lr: 0.5)) -> (f32[3], f32[5]) {
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
  opt: mut SGD(net, lr: 0.05)
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

fn train_momentum_leaky_average(g: f32[4, 2]) -> f32[4, 2] {
  let v = zeros_like(g[0])
  let steps = []
  for t in 0..4 {
    v = 0.5 * v + g[t]
    steps = steps + [v]
  }
  stack(steps)
}
