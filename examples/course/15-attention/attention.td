tdsl 1
# 15. Attention: a weighted mean of values, whose weights say how well their keys answer a query.
import std.nn { Embedding, Linear, MultiheadAttention }
import std.optim { Adam, SGD }

dim B, N, T, d

## Scaled dot-product attention by its formula: softmax(q kᵀ / √d) v.
fn attend(
  q: f32[*S, T, d],
  k: f32[*S, N, d],
  v: f32[*S, N, d],
  mask: bool[T, N],
) -> (f32[*S, T, d], f32[*S, T, N]) {
  let scores = q @ transpose(k, -2, -1) / cast(d, f32) ** 0.5
  let weights = softmax(where(mask, scores, -inf), dim: -1)
  (weights @ v, weights)
}

## Causal: position i sees position j where j <= i. Every row of weights sums to 1.
export fn causal(x: f32[T, d]) -> (f32[T, d], f32[T, T]) = attend(x, x, x, tril(ones([T, T])) > 0)

## How much the output of position i depends on the input of position j: nothing, where j is later.
export fn dependence(x: f32[T, d], i: i64) -> f32[T] =
  norm(grad(x => sum(causal(x)[0][i]))(x), 2.0, dim: 1)

## The library's layer with one head, and the same by the formula.
export fn both(
  layer: MultiheadAttention(8, 1, batch_first: true),
  x: f32[B, T, 8],
) -> (f32[B, T, 8], f32[B, T, 8]) {
  let (q, k, v) = chunk(x @ layer.in_proj_weight.T + layer.in_proj_bias, 3, dim: -1)
  let mixed = attend(q, k, v, ones([T, T]) > 0)[0]
  (layer(x, x, x)[0], mixed @ layer.out_proj.weight.T + layer.out_proj.bias)
}

## Kernel regression (Nadaraya and Watson 1964): attention in which keys are places and values are measurements. The width is learned.
model Kernel { param sharpness: f32 = ones }
fn estimate(
  kernel: Kernel,
  at: f32[T],
  places: f32[N],
  values: f32[N],
  exclude: bool[T, N],
) -> (f32[T], f32[T, N]) {
  let distance = unsqueeze(at, 1) - places
  let scores = -(distance * kernel.sharpness) ** 2 / 2
  let weights = softmax(where(exclude, -inf, scores), dim: 1)
  (weights @ values, weights)
}
export fn regress(
  kernel: Kernel,
  at: f32[T],
  places: f32[N],
  values: f32[N],
) -> (f32[T], f32[T, N]) = estimate(kernel, at, places, values, zeros([T, N]) > 0)

## Each place is estimated from the others, or it would just remember itself.
export fn train_kernel(
  kernel: mut Kernel,
  sgd: mut SGD(kernel, lr: 0.5),
  places: f32[N],
  values: f32[N],
) -> f32 {
  let (l, g) = value_and_grad(
    kernel => mse_loss(estimate(kernel, places, places, values, eye(N) > 0)[0], values),
  )(kernel)
  sgd.step(kernel, g)
  l
}

## Recall: pairs of a key and a value, then a key; which value belongs to it? Attention looks it up, wherever the pair stands.
model Recall(keys: int = 8, values: int = 4, width: int = 16) {
  asked: Embedding(keys, width)
  key: Embedding(keys, width)
  value: Embedding(values, width)
  head: Linear(width, values)
  fn forward(query: i64[B], keys: i64[B, N], values: i64[B, N]) -> (f32[B, 4], f32[B, N]) {
    let (q, k, v) = (unsqueeze(asked(query), 1), key(keys), value(values))
    let (mixed, weights) = attend(q, k, v, ones([1, N]) > 0)
    (head(squeeze(mixed, 1)), squeeze(weights, 1))
  }
}
export fn train_recall(
  recall: mut Recall,
  opt: mut Adam(recall, lr: 0.01),
  query: i64[B],
  keys: i64[B, N],
  values: i64[B, N],
  answer: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(net => cross_entropy(net(query, keys, values)[0], answer))(recall)
  opt.step(recall, g)
  l
}
export fn answer(
  recall: Recall,
  query: i64[B],
  keys: i64[B, N],
  values: i64[B, N],
) -> (i64[B], f32[B, N]) {
  let (scores, weights) = recall(query, keys, values)
  (argmax(scores, dim: 1), weights)
}
