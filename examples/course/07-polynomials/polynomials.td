tdsl 1
# 7. Under- and overfitting: polynomials fitted to samples of a cubic with noise. Too few terms cannot follow it; too many follow the noise.
dim n, m

## The terms x^k / k! of degrees 0 to 15; those above the degree asked for are 0, so that one function serves all degrees.
fn terms(x: f64[n], degree: i64) -> f64[n, 16] {
  let k = arange(16)
  let factorials = cumprod(cast(where(k == 0, 1, k), f64), 0)
  where(k <= degree, unsqueeze(x, 1) ** cast(k, f64) / factorials, 0)
}

export fn predict(w: f64[16], x: f64[n]) -> f64[n] = terms(x, 15) @ w
export fn loss(w: f64[16], x: f64[n], y: f64[n]) -> f64 = mse_loss(predict(w, x), y)

## The best polynomial for the samples that are used (1 or 0 for each): least squares. Of several best, that with the smallest weights.
export fn fit(x: f64[40], y: f64[40], used: f64[40], degree: i64) -> f64[16] =
  lstsq(unsqueeze(used, 1) * terms(x, degree), used * y)

## The same by gradient descent, with the losses on training and test data on the way.
export fn descend(
  x: f64[n],
  y: f64[n],
  test_x: f64[m],
  test_y: f64[m],
  degree: i64,
) -> (f64[16], f64[1000], f64[1000]) {
  let (a, b) = (terms(x, degree), terms(test_x, degree))
  let objective = w => mse_loss(a @ w, y)
  let (losses, w) = scan 0..1000 from zeros([16], f64) { (w, step) =>
    let (l, g) = value_and_grad(objective)(w)
    (w - 0.1 * g, (l, mse_loss(b @ w, test_y)))
  }
  (w, losses[0], losses[1])
}
