tdsl 1
# Bundle adjustment: where cameras and points are, from where the points appear in the pictures (Triggs and others 2000). A camera has a
# rotation, a centre, a focal length, a principal point and two coefficients of radial distortion, as in ADBench. An observation depends on
# one camera, one point and its weight, so the Jacobian of all is sparse: blocks, one row of them for each observation.
import "./rotation.td" { rotated }

dim n, m, p

fn projected(camera: f64[11], x: f64[3]) -> f64[2] {
  let (rotation, centre, focal, principal, radial) = split(camera, [3, 3, 1, 2, 2])
  let seen = rotated(rotation, x - centre)
  let u = seen[:2] / seen[2]
  let squared = u @ u
  focal * (1 + radial[0] * squared + radial[1] * squared ** 2) * u + principal
}

fn residual(camera: f64[11], x: f64[3], weight: f64, feature: f64[2]) -> f64[2] =
  weight * (projected(camera, x) - feature)

## How far each point appears from where it should, times its weight, and how far the squared weights are from 1. `pairs` holds the numbers
## of camera and point of each observation.
export fn residuals(
  cameras: f64[n, 11],
  points: f64[m, 3],
  weights: f64[p],
  features: f64[p, 2],
  pairs: i64[p, 2],
) -> (f64[p, 2], f64[p]) =
  (vmap(residual)(cameras[pairs[:, 0]], points[pairs[:, 1]], weights, features), 1 - weights ** 2)

## The Jacobian of all residuals in compressed rows: where each row starts, and the columns and values of its elements. Columns are the
## parameters of the cameras, then of the points, then the weights.
export fn sparse_jacobian(
  cameras: f64[n, 11],
  points: f64[m, 3],
  weights: f64[p],
  features: f64[p, 2],
  pairs: i64[p, 2],
) -> (i64[3 * p + 1], i64[31 * p], f64[31 * p]) {
  let (camera, point) = (pairs[:, 0], pairs[:, 1])
  let (by_camera, by_point, by_weight) = vmap(jacobian(residual, wrt: [0, 1, 2]))(
    cameras[camera],
    points[point],
    weights,
    features,
  )
  let blocks = cat([by_camera, by_point, unsqueeze(by_weight, -1)], -1)
  let (of_points, of_weights) = (11 * size(cameras, 0), 11 * size(cameras, 0) + 3 * size(points, 0))
  place[i, row in 0..2, j in 0..15] = where(
    j < 11,
    11 * camera[i] + j,
    where(j < 14, of_points + 3 * point[i] + j - 11, of_weights + i),
  )
  let count = size(weights, 0)
  let starts = cat([15 * arange(end: 2 * count), 30 * count + arange(end: count + 1)])
  let columns = cat([flatten(place), of_weights + arange(end: count)])
  (starts, columns, cat([flatten(blocks), -2 * weights]))
}
