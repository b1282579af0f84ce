tdsl 1
# A differential equation by the classical Runge-Kutta method, and the derivative of where it ends by where it began and by its constants.

## `steps` steps of y' = f(y) over the time `span`.
fn solve(f: function, y: f64[n], span: f64, steps: dim) -> f64[n] {
  let h = span / steps
  fold 0..steps from y { (y, _) =>
    let k1 = f(y)
    let k2 = f(y + h / 2 * k1)
    let k3 = f(y + h / 2 * k2)
    let k4 = f(y + h * k3)
    y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
  }
}

## A damped oscillator: x'' = -stiffness x - damping x', as (x, x').
fn oscillator(y: f64[2], stiffness: f64, damping: f64) -> f64[2] =
  tensor([y[1], -stiffness * y[0] - damping * y[1]])

fn position(y: f64[2], stiffness: f64, damping: f64, span: f64) -> f64 =
  solve(y => oscillator(y, stiffness, damping), y, span, 1000)[0]

## The position after a time, and its derivatives by the start, the stiffness, the damping and the time.
export fn ends(
  y: f64[2],
  stiffness: f64,
  damping: f64,
  span: f64,
) -> (f64, (f64[2], f64, f64, f64)) =
  value_and_grad(position, wrt: [0, 1, 2, 3])(y, stiffness, damping, span)
