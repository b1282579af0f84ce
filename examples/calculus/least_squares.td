tdsl 1
# Least squares: the gradient of the residual's square, derived and in closed form, and conjugate gradients, which need
# products of the Hessian with vectors alone.

fn cost(w: f64[k], x: f64[n, k], y: f64[n]) -> f64 = sum((x @ w - y) ** 2) / 2

## The derived gradient and `xᵀ (x w - y)`.
export fn gradients(w: f64[k], x: f64[n, k], y: f64[n]) -> (f64[k], f64[k]) =
  (grad(cost)(w, x, y), (x @ w - y) @ x)

## The minimum, by as many steps of conjugate gradients as there are unknowns.
export fn fit(x: f64[n, k], y: f64[n]) -> f64[k] {
  let start = zeros([k], f64)
  let down = -grad(cost)(start, x, y)
  let (w, _, _) = fold 0..k from (start, down, down) { ((w, r, d), _) =>
    let (_, curved) = hvp(w => cost(w, x, y), w, d)
    let step = r @ r / (d @ curved)
    let next = r - step * curved
    (w + step * d, next, next + next @ next / (r @ r) * d)
  }
  w
}
