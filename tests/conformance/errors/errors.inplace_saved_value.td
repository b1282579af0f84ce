tdsl 1
# Legal here: an assignment binds a new value, so the derivative of `sigmoid` still has the old one.
fn slope(x: f32[2]) -> f32[2] = grad(x => {
  let y = sigmoid(x)
  y += 1
  sum(y)
})(x)
