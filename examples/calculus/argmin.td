tdsl 1

## The Euclidean length, with derivative 0 at 0.
fn magnitude(x: f64[*S]) -> f64 {
  let squared = sum(x * x)
  where(squared > 0, sqrt(where(squared > 0, squared, 1)), 0)
}

## The gradient by reverse mode.
fn reverse(f: fn(f64[_]) -> f64) -> fn(f64[_]) -> f64[_] = grad(f)

## The gradient by forward mode.
fn forward(f: fn(f64[_]) -> f64) -> fn(f64[_]) -> f64[_] = jacfwd(f)

## The place of the least value that gradient descent finds from `x`, with the step rule of Pearlmutter and Siskind (2008): the step is doubled
## after ten good steps and halved after a bad one. `gradient` is `forward` or `reverse`.
fn argmin(f: fn(f64[_]) -> f64, x: f64[n], gradient: function) -> f64[n] {
  let g = gradient(f)
  let (best, _, _, _, _, _) = while !done max 1000 from (x, fx, gx, eta, good, done) = (
    x,
    f(x),
    g(x),
    cast(1e-5, f64),
    cast(0, i64),
    false,
  ) {
    let next = x - eta * gx
    let fnext = f(next)
    if magnitude(gx) <= 1e-5 {
      (x, fx, gx, eta, good, true)
    } else if good == 10 {
      (x, fx, gx, 2 * eta, 0, false)
    } else if magnitude(x - next) <= 1e-5 {
      (x, fx, gx, eta, good, true)
    } else if fnext < fx {
      (next, fnext, g(next), eta, good + 1, false)
    } else {
      (x, fx, gx, eta / 2, 0, false)
    }
  }
  best
}
