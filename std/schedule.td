tdsl 1
# Learning-rate schedules, with PyTorch's names, arguments and recurrences: `step` comes after the optimizer's step, once an epoch, and
# changes the rate that the optimizer has. Schedules that change the rate before the first epoch have `start` for that.

## Multiplies the rate by `gamma` every `step_size` epochs.
model StepLR[O: model](optimizer: O, step_size: int, gamma: float = 0.1) {
  state last_epoch: i64 = 0

  fn step(optimizer: mut O) {
    check_least(step_size, 1, "step_size")
    last_epoch = last_epoch + 1
    optimizer.lr = where(last_epoch % step_size == 0, optimizer.lr * gamma, optimizer.lr)
  }
}

## Multiplies the rate by `gamma` at each of the epochs in `milestones`.
model MultiStepLR[O: model](optimizer: O, milestones: [int], gamma: float = 0.1) {
  state last_epoch: i64 = 0

  fn step(optimizer: mut O) {
    last_epoch = last_epoch + 1
    for milestone in milestones {
      optimizer.lr = where(last_epoch == milestone, optimizer.lr * gamma, optimizer.lr)
    }
  }
}

## Multiplies the rate by `gamma` every epoch.
model ExponentialLR[O: model](optimizer: O, gamma: float) {
  fn step(optimizer: mut O) { optimizer.lr = optimizer.lr * gamma }
}

## The first rate times a function of the epoch, which is an f64.
model LambdaLR[O: model](optimizer: O, lr_lambda: function) {
  state base_lr: f64 = optimizer.lr
  state last_epoch: i64 = 0

  fn start(optimizer: mut O) { optimizer.lr = base_lr * lr_lambda(cast(last_epoch, f64)) }

  fn step(optimizer: mut O) {
    last_epoch = last_epoch + 1
    optimizer.lr = base_lr * lr_lambda(cast(last_epoch, f64))
  }
}

## Takes the factor on the rate linearly from `start_factor` to `end_factor` in `total_iters` epochs.
model LinearLR[O: model](
  optimizer: O,
  start_factor: float = 1.0 / 3.0,
  end_factor: float = 1.0,
  total_iters: int = 5,
) {
  state last_epoch: i64 = 0

  fn start(optimizer: mut O) {
    assert(
      start_factor > 0.0 && start_factor <= 1.0,
      "start_factor is greater than 0 and at most 1, not " + start_factor,
    )
    assert(
      end_factor >= 0.0 && end_factor <= 1.0,
      "end_factor is between 0 and 1, not " + end_factor,
    )
    optimizer.lr = optimizer.lr * start_factor
  }

  fn step(optimizer: mut O) {
    last_epoch = last_epoch + 1
    let growth = end_factor - start_factor
    let factor = 1 + growth / (total_iters * start_factor + (cast(last_epoch, f64) - 1) * growth)
    optimizer.lr = optimizer.lr * where(last_epoch > total_iters, 1.0, factor)
  }
}

## Takes the rate to 0 in `total_iters` epochs along a polynomial.
model PolynomialLR[O: model](optimizer: O, total_iters: int = 5, power: float = 1.0) {
  state last_epoch: i64 = 0

  fn step(optimizer: mut O) {
    last_epoch = last_epoch + 1
    let past = cast(minimum(last_epoch, total_iters), f64)
    let factor = ((total_iters - past) / (total_iters - past + 1)) ** power
    optimizer.lr = optimizer.lr * where(last_epoch > total_iters, 1.0, factor)
  }
}

## Takes the rate to `eta_min` in `T_max` epochs along half a cosine, and back (Loshchilov and Hutter 2017, without restarts).
model CosineAnnealingLR[O: model](optimizer: O, T_max: int, eta_min: float = 0.0) {
  state base_lr: f64 = optimizer.lr
  state last_epoch: i64 = 0

  fn step(optimizer: mut O) {
    last_epoch = last_epoch + 1
    let angle = 3.141592653589793 / T_max
    let t = cast(last_epoch, f64)
    # After the lowest point the quotient of neighbouring rates would be 0 / 0.
    let leaves_bottom = (last_epoch - 1 - T_max) % (2 * T_max) == 0
    let below = 1 + cos(angle * (t - 1))
    let ratio = (1 + cos(angle * t)) / where(leaves_bottom, 1.0, below)
    let first = (base_lr - eta_min) * (1 - cos(angle)) / 2
    optimizer.lr = where(
      leaves_bottom,
      optimizer.lr + first,
      ratio * (optimizer.lr - eta_min) + eta_min,
    )
  }
}

## Multiplies the rate by `factor` when a metric has not become better for `patience` epochs; then waits `cooldown` epochs.
model ReduceLROnPlateau[O: model](
  optimizer: O,
  mode: string = "min",
  factor: float = 0.1,
  patience: int = 10,
  threshold: float = 1e-4,
  threshold_mode: string = "rel",
  cooldown: int = 0,
  min_lr: float = 0.0,
  eps: float = 1e-8,
) {
  state best: f64 = if mode == "min" { inf } else { -inf }
  state bad_epochs: i64 = 0
  state waiting: i64 = 0

  fn step(optimizer: mut O, metrics: number) {
    check_word(mode, ["min", "max"], "mode is \"min\" or \"max\"")
    check_word(threshold_mode, ["rel", "abs"], "threshold_mode is \"rel\" or \"abs\"")
    assert(factor < 1.0, "the factor is less than 1, not " + factor)
    let metric = cast(metrics, f64)
    let sign = if mode == "min" { -1.0 } else { 1.0 }
    let bound = if threshold_mode == "rel" {
      best * (1 + sign * threshold)
    } else {
      best + sign * threshold
    }
    let better = if mode == "min" { metric < bound } else { metric > bound }
    best = where(better, metric, best)
    let cools = waiting > 0
    let bad = where(better || cools, 0, bad_epochs + 1)
    let left = where(cools, waiting - 1, waiting)
    let reduces = bad > patience
    let lower = maximum(optimizer.lr * factor, min_lr)
    optimizer.lr = where(reduces && optimizer.lr - lower > eps, lower, optimizer.lr)
    waiting = where(reduces, cooldown, left)
    bad_epochs = where(reduces, 0, bad)
  }
}
