tdsl 1
# Loops for tests of those that one block runs (resident.test.ts).

dim N

fn step(w: f32[16, 16], h: f32[4, 16], x: f32[4, 16]) -> f32[4, 16] = tanh(h @ w + x)

## A small recurrence, and what training it needs.
export fn recurrence(w: f32[16, 16], xs: f32[9, 4, 16]) -> f32[4, 16] =
  fold xs from zeros([4, 16]) { (h, x) => step(w, h, x) }
export fn recurrence_gradient(w: f32[16, 16], xs: f32[9, 4, 16]) -> (f32[16, 16], f32[9, 4, 16]) =
  grad((w, xs) => sum(recurrence(w, xs) * 0.5), wrt: [0, 1])(w, xs)

## Every state of it, a branch in each trip, and the position of the trip.
export fn states(w: f32[16, 16], xs: f32[9, 4, 16]) -> f32[9, 4, 16] {
  let (all, _) = scan xs from zeros([4, 16]) { (h, x) =>
    let next = if sum(h) > 0.1 { step(w, h, x) } else { h + 0.1 * x }
    (next, next * 2.0)
  }
  all
}

## A loop in a loop, and the position of a trip.
export fn nested(x: f32[12]) -> f32[12] =
  fold 0..12 from x { (y, i) => 0.5 * y + i + fold y from 0.0 { (s, v) => 0.9 * s + v } }

## Two decompositions.
export fn roots(a: f32[10, 10]) -> f32[10] = eigvalsh(a + t(a))
export fn inverted(a: f32[10, 10]) -> f32[10, 10] = inverse(a + 10 * eye(10))

## An index that a trip reads from its data.
export fn looked_up(x: f32[12], at: i64[10]) -> f32 = fold at from 0.0 { (s, i) => s + x[i] }

## What stays with the host: much to do, a size that is known only when running, and no bound.
export fn much(w: f32[256, 256]) -> f32[256, 256] = fold 0..10 from w { (p, _) => tanh(p @ w) }
export fn unknown(x: f32[N]) -> f32[N] = fold 0..10 from x { (y, _) => tanh(y + sum(y)) }
export fn unbounded(x: f32[3]) -> f32[3] = while sum(y) < 100 from y = x { 2 * y + 1 }

## A loop that stays with the host, with one in it that does not, and a branch that is cheap because a loop in it is one launch.
export fn mixed(w: f32[256, 256], a: f32[8, 8]) -> f32[256, 256] =
  fold 0..10 from w { (p, _) => tanh(p @ w) * sum(eigvalsh(a + p[0:8, 0:8] + t(p[0:8, 0:8]))) }
export fn branch(a: f32[8, 8]) -> f32[8] = if sum(a) > 0 { eigvalsh(a + t(a)) } else { a[0] }
