tdsl 1
# The network of examples/mlp.td, and the same without dropout, momentum and clipping.
import std.nn { Dropout, Linear }
import std.optim { SGD }

dim B

model MLP(p: float) {
  fc1: Linear(784, 256)
  drop: Dropout(p)
  fc2: Linear(256, 10)
  fn forward(x: f32[B, 784]) -> f32[B, 10] = fc2(drop(relu(fc1(x))))
}

fn loss(net: MLP, x: f32[B, 784], y: i64[B]) -> f32 = cross_entropy(net(x), y)

export fn forward(net: MLP(0.2), x: f32[B, 784]) -> f32[B, 10] = net(x)

export fn step(
  net: mut MLP(0.2),
  opt: mut SGD(net, lr: 0.1, momentum: 0.9),
  x: f32[B, 784],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, clip_grad_norm(g, 1.0))
  l
}
