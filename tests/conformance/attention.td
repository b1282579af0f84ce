tdsl 1
# Transcriptions of the reference cases about attention that are more than one expression.

fn attention_causal_mask(q: f32[1, 4, 4], k: f32[1, 4, 4], v: f32[1, 4, 3]) -> f32[1, 4, 3] {
  let hidden = triu(ones([4, 4], dtype: bool), 1)
  let s = masked_fill(q @ transpose(k, -1, -2) / 2.0, hidden, -inf)
  softmax(s, dim: -1) @ v
}

fn attention_split_merge_heads(x: f32[2, 3, 4]) -> f32[2, 3, 4] {
  let h = transpose(reshape(x, [2, 3, 2, 2]), 1, 2)
  reshape(transpose(h, 1, 2), [2, 3, 4]) * 2 + sum(h)
}

fn attention_positional_encoding(x: f32[2, 4, 6]) -> f32[2, 4, 6] {
  let place = unsqueeze(arange(end: 4, dtype: f32), 1)
  let rate = exp(arange(0, 6, 2, dtype: f32) * (-log(10000.0) / 6))
  x + flatten(stack((sin(place * rate), cos(place * rate)), dim: -1), 1)
}
