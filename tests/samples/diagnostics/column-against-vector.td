tdsl 1
# Predictions are a column, labels a vector: in PyTorch the difference is silently a matrix.
dim B

fn loss(w: f32[3, 1], x: f32[B, 3], y: f32[B]) -> f32 {
  let prediction = x @ w
  mse_loss(prediction, y)
}
