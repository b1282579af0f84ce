tdsl 1
# A charged particle falls between two charges, of which one can be moved. Where it must stand so that the particle lands at 0 is found by
# gradient descent, and that place is differentiated by the particle's first speed, through the descent.
import "./argmin.td" { argmin, forward, magnitude, reverse }

fn potential(x: f64[2], w: f64[1]) -> f64 =
  1 / magnitude(x - tensor([10.0, 10 - w[0]])) + 1 / magnitude(x - tensor([10.0, 0.0], dtype: f64))

## Where the particle meets the ground: steps of Euler's method of 0.1 while it stays above, and the rest of the last one.
fn landing(w: f64[1], speed: f64, gradient: function) -> f64 {
  let dt = 0.1
  let (x, v) = while (x + dt * v)[1] > 0 max 500 from (x, v) = (
    tensor([0.0, 8.0], dtype: f64),
    tensor([speed, 0.0]),
  ) {
    (x + dt * v, v - dt * gradient(x => potential(x, w))(x))
  }
  x[0] - x[1] / v[1] * v[0]
}

fn control(speed: f64, gradient: function) -> f64 =
  argmin(w => landing(w, speed, gradient) ** 2, zeros([1], f64), gradient)[0]

export fn lands(w: f64[1], speed: f64) -> f64 = landing(w, speed, reverse)

## Where the charge must stand. The descent and the force take their gradients by reverse mode, or both by forward mode.
export fn controls(speed: f64) -> (f64, f64) = (control(speed, reverse), control(speed, forward))

## The derivative of the control by the first speed: all steps of the descent, of the fall and of the force are differentiated again.
export fn sensitivity(speed: f64) -> f64 = grad(s => control(s, reverse))(speed)

export fn sensitivity_forward(speed: f64) -> f64 = jvp(s => control(s, forward), speed, 1.0)[1]
