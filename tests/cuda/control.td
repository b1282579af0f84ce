tdsl 1
# Control flow that depends on data, for tests of what the device decides.
dim N
model Counter {
  buffer total: f32[3] = zeros
  fn forward(x: f32[3]) -> f32[3] = x + total
}

fn grown(x: f32[N]) -> f32[N] {
  let b = while sum(b) < 100 max 8 from b = x { 2 * b }
  if b[0] > b[1] { b } else { -b }
}

## Doubles until the sum is 100, and adds what comes out to the total.
export fn add(counter: mut Counter, x: f32[N]) -> f32[N] {
  let y = grown(x)
  counter.total = counter.total + y[0:3]
  y
}

## The way back makes as many trips as the way there.
export fn slope(x: f32[N]) -> f32[N] = grad(x => sum(grown(x)))(x)
