tdsl 1
# Chains of a product, folds along its rows and a second product, of all forms that tdsl_chain.cuh takes.

dim B, T, S

fn by_head(y: tensor, heads: int) -> tensor =
  transpose(reshape(y, [size(y, 0), size(y, 1), heads, size(y, 2) // heads]), 1, 2)

## Heads side by side in one tensor, and a mask: one sweep.
export fn causal(x: f32[B, T, 192]) -> f32[B, T, 64] {
  let (q, k, v) = chunk(x, 3, -1)
  let scores = by_head(q, 2) @ transpose(by_head(k, 2), -2, -1) / 32.0 ** 0.5
  let seen = arange(end: T) <= unsqueeze(arange(end: T), 1)
  reshape(transpose(softmax(where(seen, scores, -inf), -1) @ by_head(v, 2), 1, 2), [B, T, 64])
}

## Long rows of the factors: tiles are narrower. The values' rows fill no tile.
export fn wide(q: f32[B, T, 128], k: f32[B, S, 128], v: f32[B, S, 40]) -> f32[B, T, 40] =
  softmax(0.1 * (q @ transpose(k, -2, -1)), -1) @ v

## A mask that may hide whole rows, which then are no numbers.
export fn hidden(
  q: f32[B, T, 20],
  k: f32[B, S, 20],
  v: f32[B, S, 24],
  mask: bool[B, T, S],
) -> f32[B, T, 24] = softmax(where(mask, q @ transpose(k, -2, -1) / 20.0 ** 0.5, -inf), -1) @ v

## The weights are a result as well: two sweeps.
export fn weights(
  q: f32[B, T, 32],
  k: f32[B, S, 32],
  v: f32[B, S, 32],
) -> (f32[B, T, 32], f32[B, T, S]) {
  let w = softmax(q @ transpose(k, -2, -1) / 32.0 ** 0.5, -1)
  (w @ v, w)
}

## Two folds of which the second needs the first, and no softmax: three sweeps.
export fn centred(q: f64[B, T, 16], k: f64[B, S, 16], v: f64[B, S, 16]) -> f64[B, T, 16] {
  let scores = q @ transpose(k, -2, -1)
  let off = relu(scores - mean(scores, -1, keepdim: true))
  off / (1.0 + sum(off, -1, keepdim: true)) @ v
}

export fn half(q: bf16[B, T, 32], k: bf16[B, S, 32], v: bf16[B, S, 64]) -> bf16[B, T, 64] =
  softmax(q @ transpose(k, -2, -1), -1) @ v
