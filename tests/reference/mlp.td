tdsl 1
# The network that mlp_reference.py trains with PyTorch: 784-256-10 with ReLU and cross-entropy.
import std.nn { Linear }
import std.optim { Adam, SGD }

dim B

model MLP {
  fc1: Linear(784, 256)
  fc2: Linear(256, 10)
  fn forward(x: f32[B, 784]) -> f32[B, 10] = fc2(relu(fc1(x)))
}

fn loss(net: MLP, x: f32[B, 784], y: i64[B]) -> f32 = cross_entropy(net(x), y)

## One step of stochastic gradient descent with momentum.
export fn sgd(
  net: mut MLP,
  momentum: mut SGD(net, lr: 0.1, momentum: 0.9),
  x: f32[B, 784],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  momentum.step(net, g)
  l
}

## One step of Adam.
export fn adam(net: mut MLP, moments: mut Adam(net, lr: 0.001), x: f32[B, 784], y: i64[B]) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  moments.step(net, g)
  l
}
