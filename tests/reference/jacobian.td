# The functions of jacobian_reference.py: Jacobians by `jacobian`, in each mode, and Hessians.

fn scores(x: f64[4], w: f64[3, 4]) -> f64[3] = softmax(w @ x, dim: 0)

fn pairs(x: f64[4], w: f64[3, 4]) -> f64[3, 4] = tanh(w * x) * sum(w, dim: 1, keepdim: true) ** 2

fn energy(x: f64[4], w: f64[3, 4]) -> f64 = logsumexp(sin(w @ x) * (w @ x), dim: 0)

fn steps(x: f64[4], w: f64[3, 4]) -> f64[4] =
  fold 0..12 from x { (h, i) => h - 0.1 * (w.T @ (w @ h)) / (1 + h * h) }

fn choice(x: f64[4], w: f64[3, 4]) -> f64 {
  let h = while sum(h * h) < 40 max 30 from h = x { 1.3 * h + 0.1 * w[0] }
  if sum(h) > 0 { prod(h) } else { sum(h ** 3) }
}

export fn jacobians(x: f64[4], w: f64[3, 4]) -> any =
  [
    (jacobian(f, (x, w)), jacfwd(f, wrt: [0, 1])(x, w), jacrev(f, wrt: [0, 1])(x, w))
    for f in [scores, pairs, steps]
  ]

export fn hessians(x: f64[4], w: f64[3, 4]) -> any =
  [(hessian(f, (x, w)), hvp(f, (x, w), (2 * x, w * w))[1]) for f in [energy, choice]]
