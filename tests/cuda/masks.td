tdsl 1
# Attentions with conditions on places: whole tiles of scores are hidden.

dim B, T, S

fn scores(q: tensor, k: tensor) -> tensor = 0.2 * (q @ transpose(k, -2, -1))

export fn causal(q: f32[B, T, 32], k: f32[B, S, 32], v: f32[B, S, 32]) -> f32[B, T, 32] =
  softmax(where(arange(end: S) <= unsqueeze(arange(end: T), 1), scores(q, k), -inf), -1) @ v

## A band, so that tiles at both ends are hidden.
export fn banded(q: f32[B, T, 20], k: f32[B, S, 20], v: f32[B, S, 24]) -> f32[B, T, 24] {
  let (i, j) = (unsqueeze(arange(end: T), 1), arange(end: S))
  softmax(where(j <= i && i < j + 20, scores(q, k), -inf), -1) @ v
}

## The first rows see nothing: they are no numbers. The weights are a result as well.
export fn late(q: f32[B, T, 16], k: f32[B, S, 16], v: f32[B, S, 16]) -> (f32[B, T, 16], f32[B, T, S]) {
  let seen = arange(end: S) + 70 <= unsqueeze(arange(end: T), 1)
  let w = softmax(where(seen, scores(q, k), -inf), -1)
  (w @ v, w)
}

## What is hidden has a number, which matters where nothing else is there.
export fn faint(q: f32[B, T, 16], k: f32[B, S, 16], v: f32[B, S, 16]) -> f32[B, T, 16] {
  let unseen = arange(end: S) + 70 > unsqueeze(arange(end: T), 1)
  softmax(where(unseen, -1e9, scores(q, k)), -1) @ v
}

## Folds that are no softmax, and weights that are hidden only behind them.
export fn centred(q: f64[B, T, 16], k: f64[B, S, 16], v: f64[B, S, 16]) -> f64[B, T, 16] {
  let off = scores(q, k)
  let seen = where(arange(end: S) <= unsqueeze(arange(end: T), 1), off - mean(off, -1, keepdim: true), 0.0)
  seen / (1.0 + sum(abs(seen), -1, keepdim: true)) @ v
}

## What comes later or lies far back is hidden: one or the other.
export fn sliding(q: f32[B, T, 16], k: f32[B, S, 16], v: f32[B, S, 16]) -> f32[B, T, 16] {
  let (i, j) = (unsqueeze(arange(end: T), 1), arange(end: S))
  softmax(where(j > i || i - j >= 20, -inf, scores(q, k)), -1) @ v
}

## A window around each place, by its distance.
export fn near(q: f32[B, T, 16], k: f32[B, S, 16], v: f32[B, S, 16]) -> f32[B, T, 16] {
  let distance = abs(unsqueeze(arange(end: T), 1) - arange(end: S))
  softmax(where(distance < 20, scores(q, k), -inf), -1) @ v
}

## The same by what lies outside of it.
export fn around(q: f32[B, T, 16], k: f32[B, S, 16], v: f32[B, S, 16]) -> f32[B, T, 16] {
  let apart = unsqueeze(arange(end: T), 1) - arange(end: S)
  softmax(where(!(abs(apart) <= 20), -1e9, scores(q, k)), -1) @ v
}
