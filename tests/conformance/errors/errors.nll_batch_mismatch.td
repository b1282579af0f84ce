tdsl 1
# Three predictions, two labels.
fn loss(predictions: f32[3, 4]) -> f32 = nll_loss(predictions, tensor([0, 1]))
