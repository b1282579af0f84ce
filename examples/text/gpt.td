tdsl 1
# A small GPT (Radford et al. 2019): a decoder with pre-norm blocks, causal attention and GELU, on characters.
import std.nn { Embedding, LayerNorm, Linear }
import std.optim { AdamW }
import "./sampling.td" { sample }

dim B, T

## Self-attention in which every position sees itself and what stands before it.
model CausalAttention(width: int, heads: int) {
  qkv: Linear(width, 3 * width)
  proj: Linear(width, width)

  fn forward(x: f32[B, T, width]) -> f32[B, T, width] {
    let by_head = y => transpose(reshape(y, [B, T, heads, width // heads]), 1, 2)
    let (q, k, v) = chunk(qkv(x), 3, -1)
    let scores = by_head(q) @ transpose(by_head(k), -2, -1) / (width // heads) ** 0.5
    let seen = arange(end: T) <= unsqueeze(arange(end: T), 1)
    let mixed = softmax(where(seen, scores, -inf), -1) @ by_head(v)
    proj(reshape(transpose(mixed, 1, 2), [B, T, width]))
  }
}

model Block(width: int, heads: int) {
  norm1: LayerNorm(width)
  attention: CausalAttention(width, heads)
  norm2: LayerNorm(width)
  fc1: Linear(width, 4 * width)
  fc2: Linear(4 * width, width)

  fn forward(x: f32[B, T, width]) -> f32[B, T, width] {
    let h = x + attention(norm1(x))
    h + fc2(gelu(fc1(norm2(h))))
  }
}

## Gives for each position the scores of the character after it.
model GPT(
  vocabulary: int = 65,
  context: int = 64,
  width: int = 128,
  heads: int = 4,
  layers: int = 4,
) {
  tokens: Embedding(vocabulary, width)
  positions: Embedding(context, width)
  blocks: [Block(width, heads) for i in 0..layers]
  norm: LayerNorm(width)
  head: Linear(width, vocabulary, bias: false)

  fn forward(x: i64[B, T]) -> f32[B, T, vocabulary] {
    let h = tokens(x) + positions(arange(end: T))
    for block in blocks { h = block(h) }
    head(norm(h))
  }
}

## The mean loss of a GPT of any size.
fn loss[M: model](net: M, x: i64[B, T], y: i64[B, T]) -> f32 =
  cross_entropy(flatten(net(x), 0, 1), flatten(y, 0, 1))

## The mean loss of a batch of texts `x` and the same texts one character further, `y`.
export fn evaluate(net: GPT, x: i64[B, T], y: i64[B, T]) -> f32 = loss(net, x, y)

## One step of training on a batch; returns its loss.
export fn train_step(
  net: mut GPT,
  opt: mut AdamW(net, lr: 1e-3, weight_decay: 0.1),
  x: i64[B, T],
  y: i64[B, T],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, clip_grad_norm(g, 1.0))
  l
}

## Draws the character that follows a text of at most 64 characters.
export fn next(net: GPT, key: mut key, text: i64[T], temperature: f32, top_k: i64) -> i64 =
  sample(net(unsqueeze(text, 0))[0, -1], temperature, top_k)
