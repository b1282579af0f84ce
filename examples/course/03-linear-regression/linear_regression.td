tdsl 1
# 3. Linear regression: y = w · x + b, from samples with noise. First by gradient descent, written out and with the library's parts; then in one
# step, since the best weights solve a system of linear equations.
import std.nn { Linear }
import std.optim { SGD }

dim B, N

## From scratch: parameters, prediction, loss, and the step itself.
model Line {
  param weight: f32[3] = normal(std: 0.01)
  param bias: f32 = zeros
  fn forward(x: f32[B, 3]) -> f32[B] = x @ weight + bias
}
fn squared_loss(net: Line, x: f32[B, 3], y: f32[B]) -> f32 = mean((net(x) - y) ** 2) / 2

export fn step_by_hand(line: mut Line, x: f32[B, 3], y: f32[B], lr: f32) -> f32 {
  let (l, g) = value_and_grad(squared_loss)(line, x, y)
  line.weight -= lr * g.weight
  line.bias -= lr * g.bias
  l
}

## The gradient as it is derived, and as one derives it on paper: (Xw + b - y) X / n and the mean of (Xw + b - y).
export fn gradients(line: Line, x: f32[B, 3], y: f32[B]) -> ((f32[3], f32), (f32[3], f32)) {
  let g = grad(squared_loss)(line, x, y)
  let error = line(x) - y
  ((g.weight, g.bias), (error @ x / B, mean(error)))
}

## With the library: a layer, a loss, an optimizer. A layer gives a column; targets of another shape are refused, not broadcast.
export fn train_step(
  net: mut Linear(3, 1),
  opt: mut SGD(net, lr: 0.03),
  x: f32[B, 3],
  y: f32[B],
) -> f32 {
  let (l, g) = value_and_grad(net => mse_loss(net(x), unsqueeze(y, 1)))(net)
  opt.step(net, g)
  l
}

## In closed form. A column of ones makes the bias a weight like the others; then (XᵀX) w = Xᵀy.
fn with_ones(x: f32[N, 3]) -> f32[N, 4] = cat([x, ones([N, 1])], dim: 1)
export fn normal_equations(x: f32[1000, 3], y: f32[1000]) -> (f32[4], f32[4], f32[4]) {
  let X = with_ones(x)
  (inverse(X.T @ X) @ X.T @ y, solve(X.T @ X, X.T @ y), lstsq(X, y))
}

## The loss for many choices of the first two weights, the others as they are in truth: a bowl, for the picture.
export fn bowl(x: f32[N, 3], y: f32[N], points: f32[B, 2]) -> f32[B] {
  let w = cat([points, full([B, 1], 10.5)], dim: 1)
  mean((w @ x.T + 1.7 - y) ** 2, dim: 1) / 2
}
