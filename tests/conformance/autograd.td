tdsl 1
# Transcriptions of the reference cases about derivatives that are more than one expression.

fn autograd_grad_two_dot(x: f32[4]) -> (f32, f32[4]) = value_and_grad(v => 2 * dot(v, v))(x)

fn autograd_grad_sum(x: f32[4]) -> f32[4] = grad(v => sum(v))(x)

fn autograd_grad_x_times_x(x: f32[4]) -> f32[4] = grad(v => sum(v * v))(x)

fn autograd_vjp_with_ones(x: f32[4]) -> f32[4] {
  let (_, g) = vjp(v => v * v, x, ones_like(x))
  g
}

fn autograd_mean_3_xp2_sq(x: f32[2, 2]) -> (f32[2, 2], f32) {
  let y = x + 2
  let z = y * y * 3
  (z, mean(z))
}

fn autograd_second_derivative(x: f32[3]) -> (f32[3], f32[3]) {
  let slope = grad(v => sum(v ** 3))
  (slope(x), grad(v => sum(slope(v)))(x))
}

fn autograd_chain_rule(x: f32, w1: f32, b1: f32, w2: f32, b2: f32) -> (f32, f32) {
  let inner = w => x * w + b1
  let outer = y => y * w2 + b2
  (grad(outer)(inner(w1)) * grad(inner)(w1), grad(w => outer(inner(w)))(w1))
}

fn autograd_grad_of_intermediate(x: f32[3]) -> (f32[3], f32[3]) {
  let square_sum = h => sum(h ** 2)
  (grad(square_sum)(tanh(x)), grad(v => square_sum(tanh(v)))(x))
}

fn autograd_no_grad_block(x: f32[3]) -> (f32, f32[3]) = value_and_grad(v => sum(no_grad { v * 3 } * v))(x)

fn autograd_numeric_vs_auto(x: f64[3]) -> (f64[3], f64[3]) {
  let f = v => 4 * v ** 3 + v ** 2 + 3
  let h = 1e-5
  (grad(v => sum(f(v)))(x), (f(x + h) - f(x - h)) / (2 * h))
}

fn autograd_long_chain_f64(x: f64[4], w: f64[4], b: f64[4]) -> f64 {
  let h = x
  for i in 0..6 { h = sin(h) * w + b }
  sum(h ** 2)
}

# Doubles until the norm reaches 1000; negative results count a hundredfold.
fn doubled(a: f32) -> f32 {
  let b = while norm(b) < 1000 max 200 from b = a * 2 { b * 2 }
  if sum(b) > 0 { b } else { 100 * b }
}

fn autograd_while_pos(a: f32) -> f32 = doubled(a)

fn autograd_while_neg(a: f32) -> f32 = doubled(a)

fn autograd_while_tiny(a: f32) -> f32 = doubled(a)

fn autograd_linear_in_piece(a: f32) -> bool {
  let (d, g) = value_and_grad(doubled)(a)
  g == d / a
}

fn autograd_jacobian_linear(A: f32[2, 3], x: f32[3]) -> f32[2, 3] = jacobian(t => A @ t)(x)
