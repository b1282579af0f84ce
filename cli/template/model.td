tdsl 1
# A multi-layer perceptron for images of 28 x 28 pixels.
import std.nn { Dropout, Linear }
import std.optim { SGD }

dim B

model MLP(inputs: int = 784, hidden: int = 128, classes: int = 10) {
  fc1: Linear(inputs, hidden)
  drop: Dropout(0.2)
  fc2: Linear(hidden, classes)
  fn forward(x: f32[B, inputs]) -> f32[B, classes] = fc2(drop(relu(fc1(x))))
}

fn loss(net: MLP, x: f32[B, 784], y: i64[B]) -> f32 = cross_entropy(net(x), y)

## The most likely class of each image.
export fn predict(net: MLP, x: f32[B, 784]) -> i64[B] = argmax(net(x), dim: 1)

## One step of training: the loss of a batch before it.
export fn train_step(
  net: mut MLP,
  opt: mut SGD(net, lr: 0.1, momentum: 0.9),
  x: f32[B, 784],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
