tdsl 1
# A hand of five fingers with three joints each: chains of rotations. Its pose has 26 numbers: the turn and the place of the palm, and for
# each finger how far it is spread and how far each joint is bent. The Jacobian has few columns and many rows, so it is taken forwards.
import "./rotation.td" { rotated }

dim v

## A point turned about the axis x, and about the axis z.
fn about_x(a: f64, x: f64[3]) -> f64[3] =
  tensor([x[0], cos(a) * x[1] - sin(a) * x[2], sin(a) * x[1] + cos(a) * x[2]])

fn about_z(a: f64, x: f64[3]) -> f64[3] =
  tensor([cos(a) * x[0] - sin(a) * x[1], sin(a) * x[0] + cos(a) * x[1], x[2]])

## The rotation that `turn` makes of points, as a matrix that is multiplied from the right.
fn matrix(turn: fn(f64[3]) -> f64[3]) -> f64[3, 3] = vmap(turn)(eye(3, dtype: f64))

## The skin of a finger: `bones` lead from joint to joint, and `skin` holds points around each joint, all as they are when nothing is bent.
fn finger(angles: f64[4], bones: f64[3, 3], skin: f64[3, v, 3]) -> f64[3, v, 3] {
  let start = (matrix(x => about_z(angles[0], x)), zeros([3], f64))
  let (placed, _) = scan (angles[1:], bones, skin) from start { (
    (turn, at),
    (bend, bone, points),
  ) =>
    let joint = at + bone @ turn
    let bent = matrix(x => about_x(bend, x)) @ turn
    ((bent, joint), joint + points @ bent)
  }
  placed
}

fn pose(theta: f64[26], bones: f64[5, 3, 3], skin: f64[5, 3, v, 3]) -> f64[5, 3, v, 3] {
  let fingers = vmap(finger)(reshape(theta[6:], [5, 4]), bones, skin)
  fingers @ matrix(x => rotated(theta[:3], x)) + theta[3:6]
}

## The places of all points of the skin, and their derivatives by the 26 numbers of the pose.
export fn posed(
  theta: f64[26],
  bones: f64[5, 3, 3],
  skin: f64[5, 3, v, 3],
) -> (f64[5, 3, v, 3], f64[5, 3, v, 3, 26]) =
  (pose(theta, bones, skin), jacobian(pose)(theta, bones, skin))
