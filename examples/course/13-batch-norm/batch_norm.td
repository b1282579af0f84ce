tdsl 1
# 13. Batch normalisation: each feature gets mean 0 and variance 1 over the batch, then a scale and a shift that are learned. In evaluation
# running averages stand for the batch's own, so that a prediction does not depend on the other examples.
import std.nn { BatchNorm1d, LayerNorm, Linear }
import std.optim { SGD }

dim B, n

## By hand, for a matrix of examples and features.
export fn by_hand(x: f32[B, n], gamma: f32[n], beta: f32[n]) -> f32[B, n] {
  let centred = x - mean(x, dim: 0)
  let variance = mean(centred ** 2, dim: 0)
  gamma * centred / sqrt(variance + 1e-5) + beta
}

## The library's layer. Under `mut` it is in training: it takes the batch's statistics and moves the running ones.
export fn train_norm(norm: mut BatchNorm1d(4), x: f32[B, 4]) -> f32[B, 4] = norm(x)
export fn use_norm(norm: BatchNorm1d(4), x: f32[B, 4]) -> f32[B, 4] = norm(x)

## A layer norm takes its statistics over the features of one example, and needs no averages.
export fn layer_norm_of(layer: LayerNorm(4), x: f32[B, 4]) -> f32[B, 4] = layer(x)

## Ten layers with sigmoids do not learn at all, for their gradients vanish (chapter 10); with normalisation between them they do.
model Block(size: int, normalised: bool) {
  fc: Linear(size, size)
  if normalised { norm: BatchNorm1d(size) }
  fn forward(x: f32[B, size]) -> f32[B, size] =
    sigmoid(if normalised { norm(fc(x)) } else { fc(x) })
}
model Deep(normalised: bool) {
  first: Linear(784, 64)
  blocks: [Block(64, normalised) for i in 0..8]
  last: Linear(64, 10)
  fn forward(x: f32[B, 784]) -> f32[B, 10] {
    let h = sigmoid(first(x))
    for block in blocks { h = block(h) }
    last(h)
  }
}
let Plain = Deep(false)
let Normalised = Deep(true)
fn Optimizer(net: model) = SGD(net, lr: 0.5)

fn learn[M: model](net: mut M, opt: mut any, x: f32[B, 784], y: i64[B]) -> f32 {
  let (l, g) = value_and_grad(net => cross_entropy(net(x), y))(net)
  opt.step(net, g)
  l
}

export fn train_plain(
  plain: mut Plain,
  plain_opt: mut Optimizer(plain),
  x: f32[B, 784],
  y: i64[B],
) -> f32 = learn(plain, plain_opt, x, y)
export fn train_normalised(
  normalised: mut Normalised,
  opt: mut Optimizer(normalised),
  x: f32[B, 784],
  y: i64[B],
) -> f32 = learn(normalised, opt, x, y)
export fn predict_plain(plain: Plain, x: f32[B, 784]) -> i64[B] = argmax(plain(x), dim: 1)
export fn predict_normalised(normalised: Normalised, x: f32[B, 784]) -> i64[B] =
  argmax(normalised(x), dim: 1)
