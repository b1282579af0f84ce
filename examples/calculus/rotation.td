tdsl 1

## A vector turned about the axis `r` by the length of `r` (Rodrigues 1840); without a turn the derivative is that of a small one.
fn rotated(r: f64[3], x: f64[3]) -> f64[3] {
  let squared = r @ r
  let angle = sqrt(where(squared > 0, squared, 1))
  let axis = r / angle
  let turned = cos(angle) * x + sin(angle) * cross(axis, x) + (1 - cos(angle)) * (axis @ x) * axis
  where(squared > 0, turned, x + cross(r, x))
}
