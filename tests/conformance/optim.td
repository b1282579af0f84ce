tdsl 1
# Transcriptions of the reference cases about optimizers. Each sets the parameters of a model to the case's start, takes steps, and gives
# the parameters after and the loss before each of them.
import std.optim { Adagrad, Adam, NAdam, RMSprop, SGD }
import std.schedule { ExponentialLR, MultiStepLR, ReduceLROnPlateau, StepLR }

model Point { param w: f32[2] = zeros }

fn quadratic(net: Point, A: f32[3, 2], y: f32[3]) -> f32 = 0.5 * sum((A @ net.w - y) ** 2)

fn optim_sgd_maximize(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut SGD(net, lr: 0.01, maximize: true)) -> (f32[5, 2], f32[5]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_adam_weight_decay(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut Adam(net, lr: 0.1, weight_decay: 0.2)) -> (f32[5, 2], f32[5]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_adam_amsgrad(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut Adam(net, lr: 0.1, amsgrad: true)) -> (f32[6, 2], f32[6]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..6 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_rmsprop(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut RMSprop(net, lr: 0.05, alpha: 0.9)) -> (f32[5, 2], f32[5]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_rmsprop_momentum_centered(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut RMSprop(net, lr: 0.02, alpha: 0.9, momentum: 0.5, centered: true)) -> (f32[5, 2], f32[5]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_adagrad(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut Adagrad(net, lr: 0.3)) -> (f32[5, 2], f32[5]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_adagrad_lr_decay(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut Adagrad(net, lr: 0.3, lr_decay: 0.1, initial_accumulator_value: 0.5)) -> (f32[5, 2], f32[5]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_nadam(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut NAdam(net, lr: 0.1)) -> (f32[5, 2], f32[5]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_sgd_clip_value(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut SGD(net, lr: 0.1)) -> (f32[5, 2], f32[5]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, clip_grad_value(g, 0.4))
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_sgd_by_hand(A: f32[3, 2], y: f32[3], w0: f32[2], net: mut Point, opt: mut SGD(net, lr: 0.1)) -> (f32[3, 2], f32[3]) {
  net.w = w0
  let (points, losses) = ([], [])
  for step in 0..3 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses))
}

fn optim_sched_step(
  A: f32[3, 2],
  y: f32[3],
  w0: f32[2],
  net: mut Point,
  opt: mut SGD(net, lr: 0.1),
  schedule: mut StepLR(opt, step_size: 2, gamma: 0.5)
) -> (f32[6, 2], f32[6], f64[6]) {
  net.w = w0
  let (points, losses, rates) = ([], [], [])
  for step in 0..6 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    rates = rates + [opt.lr]
    opt.step(net, g)
    schedule.step(opt)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses), stack(rates))
}

fn optim_sched_multistep(
  A: f32[3, 2],
  y: f32[3],
  w0: f32[2],
  net: mut Point,
  opt: mut SGD(net, lr: 0.1),
  schedule: mut MultiStepLR(opt, milestones: [1, 3], gamma: 0.1)
) -> (f32[6, 2], f32[6], f64[6]) {
  net.w = w0
  let (points, losses, rates) = ([], [], [])
  for step in 0..6 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    rates = rates + [opt.lr]
    opt.step(net, g)
    schedule.step(opt)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses), stack(rates))
}

fn optim_sched_exponential(
  A: f32[3, 2],
  y: f32[3],
  w0: f32[2],
  net: mut Point,
  opt: mut SGD(net, lr: 0.1),
  schedule: mut ExponentialLR(opt, gamma: 0.9)
) -> (f32[6, 2], f32[6], f64[6]) {
  net.w = w0
  let (points, losses, rates) = ([], [], [])
  for step in 0..6 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    rates = rates + [opt.lr]
    opt.step(net, g)
    schedule.step(opt)
    points = points + [net.w]
    losses = losses + [l]
  }
  (stack(points), stack(losses), stack(rates))
}

model Line {
  param w: f32[1, 2] = zeros
  param b: f32[1] = zeros
}

fn line_loss(net: Line, X: f32[4, 2], y: f32[4, 1]) -> f32 = mse_loss(linear(X, net.w, net.b), y)

fn optim_weight_decay_on_weights_only(
  X: f32[4, 2],
  y: f32[4, 1],
  w0: f32[1, 2],
  b0: f32[1],
  net: mut Line
) -> (f32[5, 1, 2], f32[5, 1], f32[5]) {
  net.w = w0
  net.b = b0
  let (weights, biases, losses) = ([], [], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(line_loss, wrt: net)(net, X, y)
    map (path, p, d) over (net, g) { p = p - 0.1 * (if path == "w" { d + 0.5 * p } else { d }) }
    weights = weights + [net.w]
    biases = biases + [net.b]
    losses = losses + [l]
  }
  (stack(weights), stack(biases), stack(losses))
}

fn optim_two_lr_groups(
  X: f32[4, 2],
  y: f32[4, 1],
  w0: f32[1, 2],
  b0: f32[1],
  net: mut Line
) -> (f32[5, 1, 2], f32[5, 1], f32[5]) {
  net.w = w0
  net.b = b0
  let (weights, biases, losses) = ([], [], [])
  for step in 0..5 {
    let (l, g) = value_and_grad(line_loss, wrt: net)(net, X, y)
    map (path, p, d) over (net, g) { p = p - (if path == "w" { 0.2 } else { 0.05 }) * d }
    weights = weights + [net.w]
    biases = biases + [net.b]
    losses = losses + [l]
  }
  (stack(weights), stack(biases), stack(losses))
}

fn optim_no_zero_grad_accumulates(A: f32[3, 2], y: f32[3], w0: f32[2]) -> f32[4, 2] {
  let slope = grad(w => 0.5 * sum((A @ w - y) ** 2))
  let (w, total, points) = (w0, zeros([2]), [])
  for step in 0..4 {
    total = total + slope(w)
    w = w - 0.05 * total
    points = points + [w]
  }
  stack(points)
}

fn optim_adam_formula_first_step(w0: f32[3], g0: f32[3]) -> f32[3] {
  let (v, s) = (0.1 * g0, 0.001 * g0 * g0)
  w0 - 0.1 * (v / (1 - 0.9)) / (sqrt(s / (1 - 0.999)) + 1e-8)
}

fn optim_plateau_lrs(
  net: Point,
  opt: mut SGD(net, lr: 1.0),
  schedule: mut ReduceLROnPlateau(opt, factor: 0.5, patience: 1)
) -> f64[8] {
  let rates = []
  for metric in [5.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.0] {
    schedule.step(opt, metric)
    rates = rates + [opt.lr]
  }
  stack(rates)
}
