tdsl 1
# Linear regression by gradient descent. `gradient` is also exported, to compare with the closed form.
import std.optim { SGD }

dim B

model LinearRegression(features: int = 3) {
  param weight: f32[features] = normal(std: 0.01)
  param bias: f32 = zeros
  fn forward(x: f32[B, features]) -> f32[B] = x @ weight + bias
}

fn loss(net: LinearRegression, x: f32[B, 3], y: f32[B]) -> f32 = mean((net(x) - y) ** 2) / 2

## The prediction for each sample.
export fn predict(net: LinearRegression, x: f32[B, 3]) -> f32[B] = net(x)

## The derivative of the loss by the parameters, as automatic differentiation gives it and in closed form.
export fn gradients(net: LinearRegression, x: f32[B, 3], y: f32[B]) -> (f32[3], f32[3]) {
  let g = grad(loss, wrt: net)(net, x, y)
  (g.weight, (net(x) - y) @ x / size(x, 0))
}

## One step of training on a batch; returns its loss.
export fn train_step(
  net: mut LinearRegression,
  opt: mut SGD(net, lr: 0.1),
  x: f32[B, 3],
  y: f32[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
