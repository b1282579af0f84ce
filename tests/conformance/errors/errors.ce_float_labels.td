tdsl 1
# Labels are class indices, i64; floats would be probabilities, of the shape of the logits.
fn loss(logits: f32[3, 4], labels: f32[3]) -> f32 = cross_entropy(logits, labels)
