tdsl 1
# A vector has one axis, 0 or -1.
fn probabilities(logits: f32[3]) -> f32[3] = softmax(logits, dim: 1)
