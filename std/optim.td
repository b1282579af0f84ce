tdsl 1
# Optimizers, with PyTorch's names, arguments and update rules. The learning rate `lr` is state that the host may set; the other
# hyper-parameters are fixed when compiling. Numbers are kept in f64, as PyTorch keeps them on the host; what they give is cast to the
# parameter's dtype, since a parameter of rank 0 would else be widened.

## The gradient to follow: turned around to maximize, with the decay's pull added.
fn _direction[T: float](p: T[*S], g: T[*S], weight_decay: float, maximize: bool) -> T[*S] {
  let d = if maximize { -g } else { g }
  if weight_decay == 0.0 { d } else { d + weight_decay * p }
}

## Checks of the decay rates of moving averages.
fn _check_betas(betas: [float], eps: float) {
  assert(len(betas) == 2, "betas are two numbers")
  for beta in betas { assert(beta >= 0.0 && beta < 1.0, "betas are at least 0 and less than 1") }
  assert(eps >= 0.0, "eps is not negative")
}

## Stochastic gradient descent with momentum (Sutskever et al. 2013).
model SGD[M: model](
  params: M,
  lr: float = 0.001,
  momentum: float = 0.0,
  dampening: float = 0.0,
  weight_decay: float = 0.0,
  nesterov: bool = false,
  maximize: bool = false,
) {
  state lr: f64 = lr
  if momentum != 0.0 {
    state momentum_buffer: like(params) = zeros
    if dampening != 0.0 { state steps: i64 = 0 }
  }

  fn step(params: mut M, grads: like(params)) {
    assert(weight_decay >= 0.0 && momentum >= 0.0, "weight_decay and momentum are not negative")
    assert(
      !nesterov || (momentum > 0.0 && dampening == 0.0),
      "nesterov needs a momentum and no dampening",
    )
    if momentum == 0.0 {
      map (p, g) over (params, grads) {
        p = cast(p - lr * _direction(p, g, weight_decay, maximize), p.dtype)
      }
    } else {
      map (p, g, buffer) over (params, grads, momentum_buffer) {
        let d = _direction(p, g, weight_decay, maximize)
        # The first step takes the gradient as it is, without dampening.
        buffer = if dampening == 0.0 {
          momentum * buffer + d
        } else {
          where(steps == 0, d, momentum * buffer + (1 - dampening) * d)
        }
        p = cast(p - lr * (if nesterov { d + momentum * buffer } else { buffer }), p.dtype)
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
) {
  state lr: f64 = lr
  state steps: i64 = 0
  state exp_avg: like(params) = zeros
  state exp_avg_sq: like(params) = zeros
  if amsgrad { state max_exp_avg_sq: like(params) = zeros }

  fn step(params: mut M, grads: like(params)) {
    _check_betas(betas, eps)
    steps = steps + 1
    let rate = lr / (1 - betas[0] ** cast(steps, f64))
    let root = sqrt(1 - betas[1] ** cast(steps, f64))
    map (p, g, m, v) over (params, grads, exp_avg, exp_avg_sq) {
      let d = _direction(p, g, weight_decay, maximize)
      m = betas[0] * m + (1 - betas[0]) * d
      v = betas[1] * v + (1 - betas[1]) * d * d
    }
    if amsgrad {
      map (v, most) over (exp_avg_sq, max_exp_avg_sq) { most = maximum(most, v) }
      map (p, m, most) over (params, exp_avg, max_exp_avg_sq) {
        p = cast(p - rate * (m / (sqrt(most) / root + eps)), p.dtype)
      }
    } else {
      map (p, m, v) over (params, exp_avg, exp_avg_sq) {
        p = cast(p - rate * (m / (sqrt(v) / root + eps)), p.dtype)
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
) {
  state lr: f64 = lr
  state steps: i64 = 0
  state exp_avg: like(params) = zeros
  state exp_avg_sq: like(params) = zeros
  if amsgrad { state max_exp_avg_sq: like(params) = zeros }

  fn step(params: mut M, grads: like(params)) {
    _check_betas(betas, eps)
    steps = steps + 1
    let rate = lr / (1 - betas[0] ** cast(steps, f64))
    let root = sqrt(1 - betas[1] ** cast(steps, f64))
    let kept = 1 - lr * weight_decay
    map (g, m, v) over (grads, exp_avg, exp_avg_sq) {
      let d = if maximize { -g } else { g }
      m = betas[0] * m + (1 - betas[0]) * d
      v = betas[1] * v + (1 - betas[1]) * d * d
    }
    if amsgrad {
      map (v, most) over (exp_avg_sq, max_exp_avg_sq) { most = maximum(most, v) }
      map (p, m, most) over (params, exp_avg, max_exp_avg_sq) {
        p = cast(kept * p - rate * (m / (sqrt(most) / root + eps)), p.dtype)
      }
    } else {
      map (p, m, v) over (params, exp_avg, exp_avg_sq) {
        p = cast(kept * p - rate * (m / (sqrt(v) / root + eps)), p.dtype)
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
) {
  state lr: f64 = lr
  state steps: i64 = 0
  state exp_avg: like(params) = zeros
  state exp_inf: like(params) = zeros

  fn step(params: mut M, grads: like(params)) {
    _check_betas(betas, eps)
    steps = steps + 1
    let rate = lr / (1 - betas[0] ** cast(steps, f64))
    map (p, g, m, u) over (params, grads, exp_avg, exp_inf) {
      let d = _direction(p, g, weight_decay, maximize)
      m = betas[0] * m + (1 - betas[0]) * d
      u = maximum(betas[1] * u, abs(d) + eps)
      p = cast(p - rate * (m / u), p.dtype)
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
) {
  state lr: f64 = lr
  state steps: i64 = 0
  state mu_product: f64 = 1.0
  state exp_avg: like(params) = zeros
  state exp_avg_sq: like(params) = zeros

  fn step(params: mut M, grads: like(params)) {
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
    map (p, g, m, v) over (params, grads, exp_avg, exp_avg_sq) {
      let d = _direction(p, g, weight_decay, false)
      m = betas[0] * m + (1 - betas[0]) * d
      v = betas[1] * v + (1 - betas[1]) * d * d
      let scale = sqrt(v / correction) + eps
      p = cast(p - of_gradient * (d / scale) - of_average * (m / scale), p.dtype)
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
) {
  state lr: f64 = lr
  state square_avg: like(params) = zeros
  if centered { state grad_avg: like(params) = zeros }
  if momentum > 0.0 { state momentum_buffer: like(params) = zeros }

  fn step(params: mut M, grads: like(params)) {
    assert(
      alpha >= 0.0 && eps >= 0.0 && momentum >= 0.0,
      "alpha, eps and momentum are not negative",
    )
    let steps = map (p, g, v) over (params, grads, square_avg) {
      let d = _direction(p, g, weight_decay, maximize)
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
      map (p, d, scale, buffer) over (params, steps, scales, momentum_buffer) {
        buffer = momentum * buffer + d / scale
        p = cast(p - lr * buffer, p.dtype)
      }
    } else {
      map (p, d, scale) over (params, steps, scales) { p = cast(p - lr * (d / scale), p.dtype) }
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
) {
  state lr: f64 = lr
  state steps: i64 = 0
  state sum: like(params) = constant(value: initial_accumulator_value)

  fn step(params: mut M, grads: like(params)) {
    assert(
      lr_decay >= 0.0 && initial_accumulator_value >= 0.0 && eps >= 0.0,
      "lr_decay, initial_accumulator_value and eps are not negative",
    )
    let rate = lr / (1 + cast(steps, f64) * lr_decay)
    steps = steps + 1
    map (p, g, total) over (params, grads, sum) {
      let d = _direction(p, g, weight_decay, maximize)
      total = total + d * d
      p = cast(p - rate * (d / (sqrt(total) + eps)), p.dtype)
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
) {
  state lr: f64 = lr
  state square_avg: like(params) = zeros
  state acc_delta: like(params) = zeros

  fn step(params: mut M, grads: like(params)) {
    assert(
      rho >= 0.0 && rho <= 1.0 && eps >= 0.0,
      "rho is between 0 and 1, and eps is not negative",
    )
    map (p, g, v, moved) over (params, grads, square_avg, acc_delta) {
      let d = _direction(p, g, weight_decay, maximize)
      v = rho * v + (1 - rho) * d * d
      let delta = sqrt(moved + eps) / sqrt(v + eps) * d
      moved = rho * moved + (1 - rho) * delta * delta
      p = cast(p - lr * delta, p.dtype)
    }
  }
}
