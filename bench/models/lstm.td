tdsl 1
# Long short-term memory of 128 units over sequences of 128 features, trained to predict the next element.
import std.nn { Linear }
import std.optim { SGD }

dim B, T

model Forecaster(features: int = 128, hidden: int = 128) {
  param w_ih: f32[4 * hidden, features] = uniform(a: -0.088, b: 0.088)
  param w_hh: f32[4 * hidden, hidden] = uniform(a: -0.088, b: 0.088)
  param b_ih: f32[4 * hidden] = uniform(a: -0.088, b: 0.088)
  param b_hh: f32[4 * hidden] = uniform(a: -0.088, b: 0.088)
  head: Linear(hidden, features)
  fn forward(x: f32[T, B, features]) -> f32[T, B, features] {
    let start = zeros([1, B, hidden])
    head(lstm(x, start, start, [w_ih, w_hh, b_ih, b_hh])[0])
  }
}

fn loss(net: Forecaster, x: f32[T, B, 128], y: f32[T, B, 128]) -> f32 = mse_loss(net(x), y)

export fn forward(net: Forecaster, x: f32[T, B, 128]) -> f32[T, B, 128] = net(x)

export fn step(
  net: mut Forecaster,
  opt: mut SGD(net, lr: 0.1),
  x: f32[T, B, 128],
  y: f32[T, B, 128],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
