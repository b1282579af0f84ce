tdsl 1
# The saddle point of x² + y² - u² - v², by gradient descent on a function whose value is found by gradient descent.
import "./argmin.td" { argmin, forward, reverse }

fn saddle(outer: function, inner: function) -> (f64[2], f64[2]) {
  let start = tensor([1.0, 1.0], dtype: f64)
  let value = (p, q) => sum(p * p) - sum(q * q)
  let reply = p => argmin(q => -value(p, q), start, inner)
  let p = argmin(p => value(p, reply(p)), start, outer)
  (p, reply(p))
}

export fn reverse_reverse() -> (f64[2], f64[2]) = saddle(reverse, reverse)

export fn reverse_forward() -> (f64[2], f64[2]) = saddle(reverse, forward)

export fn forward_reverse() -> (f64[2], f64[2]) = saddle(forward, reverse)

export fn forward_forward() -> (f64[2], f64[2]) = saddle(forward, forward)
