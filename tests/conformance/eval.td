tdsl 1
# Transcriptions of the reference cases about evaluation.

fn eval_accuracy_over_batches(l: f32[7, 3], y: i64[7]) -> f64 {
  let right = [sum(argmax(l[i * 3:i * 3 + 3], 1) == y[i * 3:i * 3 + 3]) for i in 0..3]
  cast(right[0] + right[1] + right[2], f64) / size(y, 0)
}

fn eval_kfold_linreg(X: f64[6, 2], y: f64[6]) -> (f64, f64) {
  let (train, valid) = ([], [])
  for i in 0..3 {
    let A = cat((X[:2 * i], X[2 * i + 2:]))
    let b = cat((y[:2 * i], y[2 * i + 2:]))
    let w = solve(A.T @ A, A.T @ b)
    train = train + [mse_loss(A @ w, b)]
    valid = valid + [mse_loss(X[2 * i:2 * i + 2] @ w, y[2 * i:2 * i + 2])]
  }
  (mean(stack(train)), mean(stack(valid)))
}
