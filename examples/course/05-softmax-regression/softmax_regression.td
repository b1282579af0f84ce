tdsl 1
# 5. Softmax regression: a linear layer gives each class a score, softmax makes probabilities of the scores, and cross-entropy measures how
# little probability the right class got. First all of it by hand, then with the library.
import std.nn { Linear }
import std.optim { SGD }

dim B

## By hand: exp of the scores, divided by their sum. For large scores exp overflows, inf / inf is NaN.
fn naive_softmax(z: f32[B, 10]) -> f32[B, 10] = exp(z) / sum(exp(z), dim: 1, keepdim: true)

## By hand: minus the logarithm of the probability of the right class, `-log(p.gather(1, y))`, averaged over the batch.
fn naive_loss(p: f32[B, 10], y: i64[B]) -> f32 = -mean(log(gather(p, 1, unsqueeze(y, 1))))

model ByHand {
  param weight: f32[784, 10] = normal(std: 0.01)
  param bias: f32[10] = zeros
  fn forward(x: f32[B, 784]) -> f32[B, 10] = naive_softmax(x @ weight + bias)
}

## One step of gradient descent, without an optimizer: the new parameters are computed and assigned.
export fn step_by_hand(by_hand: mut ByHand, x: f32[B, 784], y: i64[B]) -> f32 {
  let (l, g) = value_and_grad(net => naive_loss(net(x), y))(by_hand)
  map (p, d) over (by_hand, g) { p = p - 0.1 * d }
  l
}
export fn predict_by_hand(by_hand: ByHand, x: f32[B, 784]) -> i64[B] = argmax(by_hand(x), dim: 1)

## With the library: logits go into the loss, which takes softmax and logarithm together and so never overflows.
model SoftmaxRegression {
  linear: Linear(784, 10)
  fn forward(x: f32[B, 784]) -> f32[B, 10] = linear(x)
}

export fn train_step(
  net: mut SoftmaxRegression,
  opt: mut SGD(net, lr: 0.1),
  x: f32[B, 784],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(net => cross_entropy(net(x), y))(net)
  opt.step(net, g)
  l
}

## The argmax of the scores is the argmax of the probabilities: predicting needs no softmax.
export fn predict(net: SoftmaxRegression, x: f32[B, 784]) -> i64[B] = argmax(net(x), dim: 1)

## Both ways of computing a softmax.
export fn two_softmaxes(z: f32[B, 10]) -> (f32[B, 10], f32[B, 10]) =
  (naive_softmax(z), softmax(z, dim: 1))

## The loss of scores, and its gradient, which is softmax minus one-hot, divided by the size of the batch.
export fn gradient(z: f32[B, 10], y: i64[B]) -> (f32, f32[B, 10], f32[B, 10]) {
  let (l, g) = value_and_grad(z => cross_entropy(z, y))(z)
  (l, g, (softmax(z, dim: 1) - one_hot(y, 10)) / B)
}

## The entropy in bits, which is largest where nothing is known; the cross-entropy of q; and the difference of the two, the divergence.
export fn entropy(p: f32[B], q: f32[B]) -> (f32, f32, f32) {
  let of = q => -sum(xlogy(p, q)) / log(2.0)
  (of(p), of(q), of(q) - of(p))
}
