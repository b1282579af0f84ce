tdsl 1
# Softmax regression: one linear layer from pixels to classes.
import std.nn { Linear }
import std.optim { SGD }

dim B

model SoftmaxRegression {
  linear: Linear(784, 10)
  fn forward(x: f32[B, 784]) -> f32[B, 10] = linear(x)
}

fn loss(net: SoftmaxRegression, x: f32[B, 784], y: i64[B]) -> f32 = cross_entropy(net(x), y)

## The class of each image.
export fn predict(net: SoftmaxRegression, x: f32[B, 784]) -> i64[B] = argmax(net(x), dim: 1)

## One step of training on a batch; returns its loss.
export fn train_step(
  net: mut SoftmaxRegression,
  opt: mut SGD(net, lr: 0.1),
  x: f32[B, 784],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
