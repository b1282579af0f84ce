tdsl 1

dim n

fn length(x: f32[n]) -> f32 = sqrt(sum(x * x))

## A loop that ends on data. It has a bound, so it can be differentiated in reverse.
fn doubling(a: f32[n]) -> f32[n] {
  let b = while length(b) < 1000 max 64 from b = 2 * a { 2 * b }
  if sum(b) > 0 { b } else { 100 * b }
}

export fn value(a: f32[n]) -> f32[n] = doubling(a)

## The sum of the result is linear in every element of `a` as long as the number of trips stays the same.
export fn slope(a: f32[n]) -> f32[n] = grad(x => sum(doubling(x)))(a)
