tdsl 1
# The logarithm of a sum of exponentials, as it is defined and so that nothing overflows. Its gradient is the softmax.

dim n

fn plain(x: f64[n]) -> f64 = log(sum(exp(x)))

## Subtracting the largest element changes nothing, so nothing needs to be known about its derivative.
fn stable(x: f64[n]) -> f64 {
  let largest = stop_gradient(amax(x))
  largest + log(sum(exp(x - largest)))
}

export fn values(x: f64[n]) -> (f64, f64) = (plain(x), stable(x))

export fn gradients(x: f64[n]) -> (f64[n], f64[n], f64[n]) =
  (grad(plain)(x), grad(stable)(x), softmax(x, 0))
