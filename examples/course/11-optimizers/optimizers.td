tdsl 1
# 11. Optimizers on Himmelblau's function, f(x, y) = (x² + y - 11)² + (x + y² - 7)², which has four minima of height 0.
import std.optim { Adam, RMSprop, SGD }
import std.schedule { CosineAnnealingLR }

dim n

fn himmelblau(p: f32[*S, 2]) -> f32[*S] {
  let (x, y) = (p[..., 0], p[..., 1])
  (x ** 2 + y - 11) ** 2 + (x + y ** 2 - 7) ** 2
}

## The heights of many points, for pictures.
export fn height(p: f32[n, 2]) -> f32[n] = himmelblau(p)

## What is optimised: a point, which the host puts where it wants to start.
model Point { param p: f32[2] = zeros }

## Ten steps of any optimizer; the point after each.
fn walk[M: model](point: mut M, opt: mut any) -> f32[10, 2] {
  let (path, _) = scan 0..10 from 0 { (none_carried, step) =>
    opt.step(point, grad(point => himmelblau(point.p))(point))
    (none_carried, point.p)
  }
  path
}

export fn sgd_walk(point: mut Point, sgd: mut SGD(point, lr: 0.01)) -> f32[10, 2] = walk(point, sgd)
export fn momentum_walk(
  point: mut Point,
  momentum: mut SGD(point, lr: 0.01, momentum: 0.5),
) -> f32[10, 2] = walk(point, momentum)
export fn rmsprop_walk(point: mut Point, rmsprop: mut RMSprop(point, lr: 0.01)) -> f32[10, 2] =
  walk(point, rmsprop)
export fn adam_walk(point: mut Point, adam: mut Adam(point, lr: 0.001)) -> f32[10, 2] =
  walk(point, adam)

## Adam whose rate falls along half a cosine: a schedule is state beside the optimizer.
export fn scheduled_walk(
  point: mut Point,
  scheduled: mut Adam(point, lr: 0.5),
  schedule: mut CosineAnnealingLR(scheduled, T_max: 20),
) -> f32[10, 2] {
  let path = walk(point, scheduled)
  schedule.step(scheduled)
  path
}
