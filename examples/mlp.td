tdsl 1
# A multilayer perceptron for 28x28 images, with dropout, trained by SGD with momentum.
import std.nn { Dropout, Linear }
import std.optim { SGD }

dim B

## Two layers for 28x28 images.
model MLP(inputs: int = 784, hidden: int = 256, classes: int = 10) {
  fc1: Linear(inputs, hidden)
  drop: Dropout(0.2)
  fc2: Linear(hidden, classes)
  fn forward(x: f32[B, inputs]) -> f32[B, classes] = fc2(drop(relu(fc1(x))))
}

fn loss(net: MLP, x: f32[B, 784], y: i64[B]) -> f32 = cross_entropy(net(x), y)

## The class of each image.
export fn predict(net: MLP, x: f32[B, 784]) -> i64[B] = argmax(net(x), dim: 1)

## One step of training on a batch; returns its loss.
export fn train_step(
  net: mut MLP,
  opt: mut SGD(net, lr: 0.1, momentum: 0.9),
  x: f32[B, 784],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, clip_grad_norm(g, 1.0))
  l
}
