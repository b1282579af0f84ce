tdsl 1
# 2. Automatic differentiation. A derivative is a function made from a function: `grad(f)` has the arguments of `f` and gives its
# gradient. There is no tape, nothing to reset, and no `requires_grad`: what is differentiated is said where the gradient is taken.

dim n

## y = 2 x · x, so the gradient is 4 x. (`x.grad` after `y.backward()`.)
export fn of_square(x: f32[n]) -> f32[n] = grad(x => 2 * x @ x)(x)

## The value and the gradient at once, from one forward pass: mean(3 (x + 2)²).
export fn with_value(x: f32[2, 2]) -> (f32, f32[2, 2]) =
  value_and_grad(x => mean(3 * (x + 2) ** 2))(x)

## By several arguments: the squared error of a line, `torch.autograd.grad(loss, [w, b])`.
fn squared_error(w: f32, b: f32, x: f32[n], y: f32[n]) -> f32 = mean((w * x + b - y) ** 2)
export fn of_line(w: f32, b: f32, x: f32[n], y: f32[n]) -> (f32, f32) =
  grad(squared_error, wrt: [0, 1])(w, b, x, y)

## The gradient of y · v where y is a vector: `y.backward(v)`, a product with the Jacobian from the left.
export fn weighted(x: f32[n], v: f32[n]) -> f32[n] = vjp(x => x ** 2, x, v)[1]

## Forward mode: how the result moves when x moves along v, a product with the Jacobian from the right.
export fn along(x: f32[n], v: f32[n]) -> f32[n] = jvp(x => x ** 2, x, v)[1]

## The gradient of one component of a softmax: positive for its own input, negative for the others.
export fn of_probability(a: f32[3], i: i64) -> f32[3] = grad(a => softmax(a, dim: 0)[i])(a)

## What `detach` and `no_grad` do: x · stop_gradient(x) has the derivative x, not 2 x.
export fn detached(x: f32[n]) -> f32[n] = grad(x => sum(x * stop_gradient(x)))(x)

## Loops and branches on values are differentiated through the steps that were made. Here f(a) = k a for some k, so the gradient is f(a) / a.
fn doubling(a: f32) -> f32 {
  let b = while abs(b) < 1000 max 64 from b = 2 * a { 2 * b }
  if b > 0 { b } else { 100 * b }
}
export fn through_a_loop(a: f32) -> (f32, f32) = value_and_grad(doubling)(a)

## Derivatives of derivatives: sin, cos, -sin, -cos.
export fn of_sine(x: f32[n]) -> (f32[n], f32[n], f32[n]) {
  let d = f => x => grad(x => sum(f(x)))(x)
  (d(sin)(x), d(d(sin))(x), d(d(d(sin)))(x))
}

## The curves of activation functions and of their derivatives.
export fn activations(x: f32[n]) -> [(f32[n], f32[n])] {
  let curve = f => (f(x), grad(x => sum(f(x)))(x))
  (curve(sigmoid), curve(tanh), curve(relu), curve(leaky_relu))
}

## A derivative is checked by a difference quotient in f64: (f(x + h) - f(x - h)) / 2h.
fn f(x: f64) -> f64 = exp(sin(x)) / (1 + x ** 2)
export fn checked(x: f64, h: f64) -> (f64, f64) = (grad(f)(x), (f(x + h) - f(x - h)) / (2 * h))
