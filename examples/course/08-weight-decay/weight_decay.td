tdsl 1
# 8. Weight decay: 20 samples cannot say what 200 weights are. A penalty on large weights keeps them from learning the noise.
import std.optim { SGD }

dim B, n

model Regression {
  param weight: f32[200] = normal
  param bias: f32 = zeros
  fn forward(x: f32[B, 200]) -> f32[B] = x @ weight + bias
}

fn l2_penalty(w: f32[n]) -> f32 = sum(w ** 2) / 2
fn l1_penalty(w: f32[n]) -> f32 = sum(abs(w))

export fn loss(net: Regression, x: f32[B, 200], y: f32[B]) -> f32 = mean((net(x) - y) ** 2) / 2

## One step whose loss has the penalties of the weights, not of the bias, λ and μ times.
export fn penalised_step(
  net: mut Regression,
  plain: mut SGD(net, lr: 0.003),
  x: f32[B, 200],
  y: f32[B],
  lambda: f32,
  mu: f32,
) -> f32 {
  let objective = net => loss(net, x, y) +
    lambda * l2_penalty(net.weight) +
    mu * l1_penalty(net.weight)
  let (l, g) = value_and_grad(objective)(net)
  plain.step(net, g)
  l
}

## The same by the optimizer, which adds `weight_decay` times a parameter to its gradient: to all, or to those of a group.
export fn decayed_step(
  net: mut Regression,
  decay: mut SGD(net, lr: 0.003, groups: [{ params: ["weight"], weight_decay: 3.0 }]),
  x: f32[B, 200],
  y: f32[B],
) -> f32 {
  let (l, g) = value_and_grad(net => loss(net, x, y))(net)
  decay.step(net, g)
  l
}

## The same by hand, on weights alone: each parameter is known by its path. First it shrinks, then it follows the gradient.
export fn step_by_path(net: mut Regression, x: f32[B, 200], y: f32[B]) -> f32 {
  let (l, g) = value_and_grad(net => loss(net, x, y))(net)
  map (path, p, d) over (net, g) {
    p = (if path == "weight" { 1 - 0.003 * 3 } else { 1 }) * p - 0.003 * d
  }
  l
}
