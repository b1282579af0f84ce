tdsl 1
# Transcriptions of the reference cases about activations that are more than one expression.

fn activation_softmax_by_hand(x: f32[3, 4]) -> f32[3, 4] {
  let e = exp(x)
  e / sum(e, dim: 1, keepdim: true)
}
