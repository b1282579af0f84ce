tdsl 1

## Draws an index by its score: scores are divided by the temperature first, and only the `top_k` largest may be drawn, all of them where
## `top_k` is 0.
fn sample(scores: f32[_], temperature: f32, top_k: i64) -> i64 {
  rank[i] = sum over j: cast(scores[j] > scores[i], i64)
  let allowed = (top_k == 0) || (rank < top_k)
  multinomial(softmax(where(allowed, scores / temperature, -inf), 0), 1, replacement: true)[0]
}
