tdsl 1
# 6. Multilayer perceptrons. What makes a network more than a linear map is the activation between its layers.
import std.nn { Linear, ReLU, Sequential }
import std.optim { SGD }

dim B

## A network of one's own: layers are fields, `forward` is what a call does. A backward pass is not written anywhere.
model MLP(inputs: int = 784, hidden: int = 200, classes: int = 10) {
  fc1: Linear(inputs, hidden)
  fc2: Linear(hidden, hidden)
  out: Linear(hidden, classes)
  fn forward(x: f32[B, inputs]) -> f32[B, classes] = x |> fc1 |> relu |> fc2 |> relu |> out
}

export fn train_step(net: mut MLP, opt: mut SGD(net, lr: 0.2), x: f32[B, 784], y: i64[B]) -> f32 {
  let (l, g) = value_and_grad(net => cross_entropy(net(x), y))(net)
  opt.step(net, g)
  l
}

## The scores of the classes. The host takes the largest.
export fn predict(net: MLP, x: f32[B, 784]) -> f32[B, 10] = net(x)

## Layers in a row need no `forward`; they are called 0, 1, 2, … . The same layer twice shares its parameters.
model Small {
  body: Sequential(Linear(20, 13), ReLU, Linear(13, 8), ReLU)
  shared: Linear(8, 8)
  head: Linear(8, 3)
  fn forward(x: f32[B, 20]) -> f32[B, 3] = x |> body |> shared |> relu |> shared |> head
}

## The gradient of a model has its structure: the squared norm of each parameter's gradient, in order.
export fn small_gradients(small: Small, x: f32[B, 20]) -> [f32] {
  let g = grad(small => sum(small(x) ** 2))(small)
  [sum(leaf ** 2) for leaf in leaves(g)]
}

## Two linear layers without an activation are one: their product.
model Collapsed {
  a: Linear(4, 5, bias: false)
  b: Linear(5, 3, bias: false)
  fn forward(x: f32[B, 4]) -> f32[B, 3] = b(a(x))
}
export fn collapse(linear: Collapsed, x: f32[B, 4]) -> (f32[B, 3], f32[B, 3]) =
  (linear(x), x @ (linear.b.weight @ linear.a.weight).T)
