tdsl 1
# Optimizers, with PyTorch's names, arguments and update rules. The learning rate `lr` is state that the host may set; the other
# hyper-parameters are fixed when compiling. Numbers are kept in f64, as PyTorch keeps them on the host; what they give is cast to the
# parameter's dtype, since a parameter of rank 0 would else be widened.

## The gradient to follow: turned around to maximize, with the decay's pull added.
fn _direction[T: float](p: T[*S], g: T[*S], weight_decay: float, maximize: bool) -> T[*S] {
  let d = if maximize { -g } else { g }
  if weight_decay == 0.0 { d } else { d + weight_decay * p }
}

# Groups of parameters with hyper-parameters of their own, as PyTorch's parameter groups: records such as
# `{ params: path => ends_with(path, "bias"), weight_decay: 0.0 }` or `{ params: ["body"], lr: 0.01 }`. A parameter belongs to the first group
# whose `params` holds for its path, or names the beginning of it; parameters of no group have what the optimizer itself states. A group's
# `lr` is kept in proportion to the optimizer's, so that schedules and a host that sets `lr` reach all groups.

## Whether a parameter belongs to a group.
fn _is_in(group: any, path: string) -> bool {
  let params = group.params
  if is_list(params) {
    len([part for part in params if path == part || starts_with(path, part + ".")]) > 0
  } else {
    params(path)
  }
}

## What a group that a parameter belongs to says, or the optimizer itself.
fn _setting(groups: any, path: string, name: string, own: float) -> float {
  let found = [group for group in groups if _is_in(group, path)]
  if len(found) == 0 { own } else { field(found[0], name, own) }
}

## The weight decay of a parameter.
fn _decay(groups: any, path: string, own: float) -> float =
  _setting(groups, path, "weight_decay", own)

## The learning rate of a parameter, or what is proportional to it, from that of the optimizer.
fn _rate(lr: any, groups: any, path: string, base: float) {
  let own = _setting(groups, path, "lr", base)
  if own == base { lr } else { lr * (own / base) }
}

## Refuses a negative learning rate or decay, and groups that say what no group can, or that no parameter belongs to.
fn _check_settings(groups: any, params: any, lr: float, weight_decay: float) {
  check_least(lr, 0, "the learning rate")
  check_least(weight_decay, 0, "weight_decay")
  for i in 0..len(groups) {
    let group = groups[i]
    for name in field_names(group) {
      assert(
        name == "params" || name == "lr" || name == "weight_decay",
        "a group of parameters has the fields params, lr and weight_decay, not " + name,
      )
    }
    assert(
      len([path for path in paths(params) if _is_in(group, path)]) > 0,
      "group " + i + " of the optimizer has no parameter; there are " + paths(params),
    )
    assert(
      lr != 0.0 || field(group, "lr", lr) == lr,
      "the learning rate of a group is in proportion to the optimizer's, which is 0",
    )
  }
}

## Checks of the decay rates of moving averages.
fn _check_betas(betas: [float], eps: float) {
  assert(len(betas) == 2, "betas are 2 numbers, not " + len(betas))
  for beta in betas {
    assert(beta >= 0.0 && beta < 1.0, "betas are at least 0 and less than 1, not " + beta)
  }
  check_least(eps, 0, "eps")
}

## Stochastic gradient descent with momentum (Sutskever et al. 2013).
model SGD[M: model](
  params: M,
  lr: float,
  momentum: float = 0.0,
  dampening: float = 0.0,
  weight_decay: float = 0.0,
  nesterov: bool = false,
  maximize: bool = false,
  groups: [any] = [],
) {
  let base_lr = lr
  state lr: f64 = lr
  if momentum != 0.0 {
    state momentum_buffer: like(params) = zeros
    if dampening != 0.0 { state steps: i64 = 0 }
  }

  fn step(params: mut M, grads: like(params)) {
    _check_settings(groups, params, base_lr, weight_decay)
    check_least(momentum, 0, "the momentum")
    assert(
      !nesterov || (momentum > 0.0 && dampening == 0.0),
      "nesterov needs a momentum and no dampening, not a momentum of " +
        momentum +
        " with dampening " +
        dampening,
    )
    if momentum == 0.0 {
      map (path, p, g) over (params, grads) {
        p = cast(
          p -
            _rate(lr, groups, path, base_lr) *
              _direction(p, g, _decay(groups, path, weight_decay), maximize),
          p.dtype,
        )
      }
    } else {
      map (path, p, g, buffer) over (params, grads, momentum_buffer) {
        let d = _direction(p, g, _decay(groups, path, weight_decay), maximize)
        # The first step takes the gradient as it is, without dampening.
        buffer = if dampening == 0.0 {
          momentum * buffer + d
        } else {
          where(steps == 0, d, momentum * buffer + (1 - dampening) * d)
        }
        p = cast(
          p -
            _rate(lr, groups, path, base_lr) *
              (if nesterov { d + momentum * buffer } else { buffer }),
          p.dtype,
        )
      }
      if dampening != 0.0 { steps = steps + 1 }
    }
  }
}

## Adam (Kingma and Ba 2015), with the AMSGrad variant of Reddi et al. 2018.
model Adam[M: model](
  params: M,
  lr: float = 0.001,
  betas: [float] = [0.9, 0.999],
  eps: float = 1e-8,
  weight_decay: float = 0.0,
  amsgrad: bool = false,
  maximize: bool = false,
  groups: [any] = [],
) {
  let base_lr = lr
  state lr: f64 = lr
  state steps: i64 = 0
  state exp_avg: like(params) = zeros
  state exp_avg_sq: like(params) = zeros
  if amsgrad { state max_exp_avg_sq: like(params) = zeros }

  fn step(params: mut M, grads: like(params)) {
    _check_settings(groups, params, base_lr, weight_decay)
    _check_betas(betas, eps)
    steps = steps + 1
    let rate = lr / (1 - betas[0] ** cast(steps, f64))
    let root = sqrt(1 - betas[1] ** cast(steps, f64))
    map (path, p, g, m, v) over (params, grads, exp_avg, exp_avg_sq) {
      let d = _direction(p, g, _decay(groups, path, weight_decay), maximize)
      m = betas[0] * m + (1 - betas[0]) * d
      v = betas[1] * v + (1 - betas[1]) * d * d
    }
    if amsgrad {
      map (v, most) over (exp_avg_sq, max_exp_avg_sq) { most = maximum(most, v) }
      map (path, p, m, most) over (params, exp_avg, max_exp_avg_sq) {
        p = cast(p - _rate(rate, groups, path, base_lr) * (m / (sqrt(most) / root + eps)), p.dtype)
      }
    } else {
      map (path, p, m, v) over (params, exp_avg, exp_avg_sq) {
        p = cast(p - _rate(rate, groups, path, base_lr) * (m / (sqrt(v) / root + eps)), p.dtype)
      }
    }
  }
}

## Adam with decoupled weight decay (Loshchilov and Hutter 2019).
model AdamW[M: model](
  params: M,
  lr: float = 0.001,
  betas: [float] = [0.9, 0.999],
  eps: float = 1e-8,
  weight_decay: float = 0.01,
  amsgrad: bool = false,
  maximize: bool = false,
  groups: [any] = [],
) {
  let base_lr = lr
  state lr: f64 = lr
  state steps: i64 = 0
  state exp_avg: like(params) = zeros
  state exp_avg_sq: like(params) = zeros
  if amsgrad { state max_exp_avg_sq: like(params) = zeros }

  fn step(params: mut M, grads: like(params)) {
    _check_settings(groups, params, base_lr, weight_decay)
    _check_betas(betas, eps)
    steps = steps + 1
    let rate = lr / (1 - betas[0] ** cast(steps, f64))
    let root = sqrt(1 - betas[1] ** cast(steps, f64))
    map (g, m, v) over (grads, exp_avg, exp_avg_sq) {
      let d = if maximize { -g } else { g }
      m = betas[0] * m + (1 - betas[0]) * d
      v = betas[1] * v + (1 - betas[1]) * d * d
    }
    if amsgrad {
      map (v, most) over (exp_avg_sq, max_exp_avg_sq) { most = maximum(most, v) }
      map (path, p, m, most) over (params, exp_avg, max_exp_avg_sq) {
        p = cast(
          (1 - _rate(lr, groups, path, base_lr) * _decay(groups, path, weight_decay)) * p -
            _rate(rate, groups, path, base_lr) * (m / (sqrt(most) / root + eps)),
          p.dtype,
        )
      }
    } else {
      map (path, p, m, v) over (params, exp_avg, exp_avg_sq) {
        p = cast(
          (1 - _rate(lr, groups, path, base_lr) * _decay(groups, path, weight_decay)) * p -
            _rate(rate, groups, path, base_lr) * (m / (sqrt(v) / root + eps)),
          p.dtype,
        )
      }
    }
  }
}

## Adam with the largest recent gradient in place of the second moment (Kingma and Ba 2015, section 7.1).
model Adamax[M: model](
  params: M,
  lr: float = 0.002,
  betas: [float] = [0.9, 0.999],
  eps: float = 1e-8,
  weight_decay: float = 0.0,
  maximize: bool = false,
  groups: [any] = [],
) {
  let base_lr = lr
  state lr: f64 = lr
  state steps: i64 = 0
  state exp_avg: like(params) = zeros
  state exp_inf: like(params) = zeros

  fn step(params: mut M, grads: like(params)) {
    _check_settings(groups, params, base_lr, weight_decay)
    _check_betas(betas, eps)
    steps = steps + 1
    let rate = lr / (1 - betas[0] ** cast(steps, f64))
    map (path, p, g, m, u) over (params, grads, exp_avg, exp_inf) {
      let d = _direction(p, g, _decay(groups, path, weight_decay), maximize)
      m = betas[0] * m + (1 - betas[0]) * d
      u = maximum(betas[1] * u, abs(d) + eps)
      p = cast(p - _rate(rate, groups, path, base_lr) * (m / u), p.dtype)
    }
  }
}

## Adam with Nesterov's momentum (Dozat 2016).
model NAdam[M: model](
  params: M,
  lr: float = 0.002,
  betas: [float] = [0.9, 0.999],
  eps: float = 1e-8,
  weight_decay: float = 0.0,
  momentum_decay: float = 0.004,
  groups: [any] = [],
) {
  let base_lr = lr
  state lr: f64 = lr
  state steps: i64 = 0
  state mu_product: f64 = 1.0
  state exp_avg: like(params) = zeros
  state exp_avg_sq: like(params) = zeros

  fn step(params: mut M, grads: like(params)) {
    _check_settings(groups, params, base_lr, weight_decay)
    _check_betas(betas, eps)
    steps = steps + 1
    let t = cast(steps, f64)
    let now = betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    let next = betas[0] * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    mu_product = mu_product * now
    let correction = 1 - betas[1] ** t
    let of_gradient = lr * (1 - now) / (1 - mu_product)
    # PyTorch multiplies by the factor of this step once more than Dozat does.
    let of_average = lr * next / (1 - mu_product * now * next)
    map (path, p, g, m, v) over (params, grads, exp_avg, exp_avg_sq) {
      let d = _direction(p, g, _decay(groups, path, weight_decay), false)
      m = betas[0] * m + (1 - betas[0]) * d
      v = betas[1] * v + (1 - betas[1]) * d * d
      let scale = sqrt(v / correction) + eps
      p = cast(
        p -
          _rate(of_gradient, groups, path, base_lr) * (d / scale) -
          _rate(of_average, groups, path, base_lr) * (m / scale),
        p.dtype,
      )
    }
  }
}

## RMSprop (Hinton 2012), optionally with momentum, and centered (Graves 2013).
model RMSprop[M: model](
  params: M,
  lr: float = 0.01,
  alpha: float = 0.99,
  eps: float = 1e-8,
  weight_decay: float = 0.0,
  momentum: float = 0.0,
  centered: bool = false,
  maximize: bool = false,
  groups: [any] = [],
) {
  let base_lr = lr
  state lr: f64 = lr
  state square_avg: like(params) = zeros
  if centered { state grad_avg: like(params) = zeros }
  if momentum > 0.0 { state momentum_buffer: like(params) = zeros }

  fn step(params: mut M, grads: like(params)) {
    _check_settings(groups, params, base_lr, weight_decay)
    check_least(alpha, 0, "alpha")
    check_least(eps, 0, "eps")
    check_least(momentum, 0, "the momentum")
    let steps = map (path, p, g, v) over (params, grads, square_avg) {
      let d = _direction(p, g, _decay(groups, path, weight_decay), maximize)
      v = alpha * v + (1 - alpha) * d * d
      d
    }
    let scales = if centered {
      map (d, v, average) over (steps, square_avg, grad_avg) {
        average = alpha * average + (1 - alpha) * d
        sqrt(v - average * average) + eps
      }
    } else {
      map (v) over (square_avg) { sqrt(v) + eps }
    }
    if momentum > 0.0 {
      map (path, p, d, scale, buffer) over (params, steps, scales, momentum_buffer) {
        buffer = momentum * buffer + d / scale
        p = cast(p - _rate(lr, groups, path, base_lr) * buffer, p.dtype)
      }
    } else {
      map (path, p, d, scale) over (params, steps, scales) {
        p = cast(p - _rate(lr, groups, path, base_lr) * (d / scale), p.dtype)
      }
    }
  }
}

## Adagrad (Duchi et al. 2011).
model Adagrad[M: model](
  params: M,
  lr: float = 0.01,
  lr_decay: float = 0.0,
  weight_decay: float = 0.0,
  initial_accumulator_value: float = 0.0,
  eps: float = 1e-10,
  maximize: bool = false,
  groups: [any] = [],
) {
  let base_lr = lr
  state lr: f64 = lr
  state steps: i64 = 0
  state sum: like(params) = constant(value: initial_accumulator_value)

  fn step(params: mut M, grads: like(params)) {
    _check_settings(groups, params, base_lr, weight_decay)
    check_least(lr_decay, 0, "lr_decay")
    check_least(initial_accumulator_value, 0, "the initial_accumulator_value")
    check_least(eps, 0, "eps")
    let rate = lr / (1 + cast(steps, f64) * lr_decay)
    steps = steps + 1
    map (path, p, g, total) over (params, grads, sum) {
      let d = _direction(p, g, _decay(groups, path, weight_decay), maximize)
      total = total + d * d
      p = cast(p - _rate(rate, groups, path, base_lr) * (d / (sqrt(total) + eps)), p.dtype)
    }
  }
}

## Adadelta (Zeiler 2012).
model Adadelta[M: model](
  params: M,
  lr: float = 1.0,
  rho: float = 0.9,
  eps: float = 1e-6,
  weight_decay: float = 0.0,
  maximize: bool = false,
  groups: [any] = [],
) {
  let base_lr = lr
  state lr: f64 = lr
  state square_avg: like(params) = zeros
  state acc_delta: like(params) = zeros

  fn step(params: mut M, grads: like(params)) {
    _check_settings(groups, params, base_lr, weight_decay)
    assert(rho >= 0.0 && rho <= 1.0, "rho is between 0 and 1, not " + rho)
    check_least(eps, 0, "eps")
    map (path, p, g, v, moved) over (params, grads, square_avg, acc_delta) {
      let d = _direction(p, g, _decay(groups, path, weight_decay), maximize)
      v = rho * v + (1 - rho) * d * d
      let delta = sqrt(moved + eps) / sqrt(v + eps) * d
      moved = rho * moved + (1 - rho) * delta * delta
      p = cast(p - _rate(lr, groups, path, base_lr) * delta, p.dtype)
    }
  }
}
