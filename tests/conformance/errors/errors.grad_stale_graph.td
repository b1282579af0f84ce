tdsl 1
# Legal here, and right: what a gradient is taken by is said where it is taken, not in the graph that came before.
fn slope() -> f32[1] {
  let w = full([1], 2.0)
  let loss = w => mse_loss(ones([1]), ones([1]) * w)
  let m = loss(w)
  grad(loss)(w)
}
