tdsl 1
# A small transformer for text (Radford et al. 2019): 65 characters, 4 layers of 4 heads, 128 features, pre-norm, GELU.
import std.nn { Embedding, LayerNorm, Linear }
import std.optim { AdamW }

dim B, T

model Block(features: int, heads: int) {
  norm1: LayerNorm(features)
  qkv: Linear(features, 3 * features)
  proj: Linear(features, features)
  norm2: LayerNorm(features)
  wide: Linear(features, 4 * features)
  narrow: Linear(4 * features, features)

  fn attend(x: f32[B, T, features]) -> f32[B, T, features] {
    let split = h => transpose(reshape(h, [B, T, heads, features // heads]), 1, 2)
    let (q, k, v) = chunk(qkv(x), 3, -1)
    let scores = split(q) @ transpose(split(k), -2, -1) / (features // heads) ** 0.5
    let future = unsqueeze(arange(end: T), 1) < arange(end: T)
    let weights = softmax(where(future, -inf, scores), -1)
    proj(reshape(transpose(weights @ split(v), 1, 2), [B, T, features]))
  }

  fn forward(x: f32[B, T, features]) -> f32[B, T, features] {
    let h = x + attend(norm1(x))
    h + narrow(gelu(wide(norm2(h))))
  }
}

model GPT(vocabulary: int = 65, context: int = 64, features: int = 128) {
  token: Embedding(vocabulary, features)
  place: Embedding(context, features)
  blocks: [Block(features, 4), Block(features, 4), Block(features, 4), Block(features, 4)]
  norm: LayerNorm(features)
  head: Linear(features, vocabulary, bias: false)

  fn forward(x: i64[B, T]) -> f32[B, T, vocabulary] {
    let h = token(x) + place(arange(end: T))
    for block in blocks { h = block(h) }
    head(norm(h))
  }
}

fn loss(net: GPT, x: i64[B, T], y: i64[B, T]) -> f32 =
  cross_entropy(reshape(net(x), [B * T, 65]), reshape(y, [B * T]))

export fn forward(net: GPT, x: i64[B, T]) -> f32[B, T, 65] = net(x)

export fn step(net: mut GPT, opt: mut AdamW(net, lr: 1e-3), x: i64[B, T], y: i64[B, T]) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
