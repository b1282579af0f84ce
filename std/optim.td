tdsl 1
# Optimizers, with PyTorch's names, arguments and update rules. Learning rates are state that the host may set; the other
# hyper-parameters are fixed when compiling. Scalar corrections are computed in f64, as PyTorch computes them on the host.

## Stochastic gradient descent with momentum (Sutskever et al. 2013).
model SGD[M: model](
  params: M,
  lr: float = 0.001,
  momentum: float = 0.0,
  dampening: float = 0.0,
  weight_decay: float = 0.0,
  nesterov: bool = false,
  maximize: bool = false
) {
  state lr: f32 = lr
  if momentum != 0.0 {
    state momentum_buffer: like(params) = zeros
    if dampening != 0.0 { state steps: i64 = 0 }
  }

  fn step(params: mut M, grads: like(params)) {
    assert(!nesterov || (momentum > 0.0 && dampening == 0.0), "nesterov needs a momentum and no dampening")
    if momentum == 0.0 {
      map (p, g) over (params, grads) { p = p - lr * _direction(p, g, weight_decay, maximize) }
    } else {
      map (p, g, buffer) over (params, grads, momentum_buffer) {
        let d = _direction(p, g, weight_decay, maximize)
        # The first step takes the gradient as it is, without dampening.
        buffer = if dampening == 0.0 { momentum * buffer + d } else { where(steps == 0, d, momentum * buffer + (1 - dampening) * d) }
        p = p - lr * (if nesterov { d + momentum * buffer } else { buffer })
      }
      if dampening != 0.0 { steps = steps + 1 }
    }
  }
}

## The gradient to follow: turned around to maximize, with the decay's pull added.
fn _direction[T: float](p: T[*S], g: T[*S], weight_decay: float, maximize: bool) -> T[*S] {
  let d = if maximize { -g } else { g }
  if weight_decay == 0.0 { d } else { d + weight_decay * p }
}

## Adam (Kingma and Ba 2015), with the AMSGrad variant of Reddi et al. 2018.
model Adam[M: model](
  params: M,
  lr: float = 0.001,
  betas: [float] = [0.9, 0.999],
  eps: float = 1e-8,
  weight_decay: float = 0.0,
  amsgrad: bool = false,
  maximize: bool = false
) {
  state lr: f32 = lr
  state steps: i64 = 0
  state exp_avg: like(params) = zeros
  state exp_avg_sq: like(params) = zeros
  if amsgrad { state max_exp_avg_sq: like(params) = zeros }

  fn step(params: mut M, grads: like(params)) {
    steps = steps + 1
    let rate = cast(cast(lr, f64) / (1 - betas[0] ** cast(steps, f64)), f32)
    let root = cast(sqrt(1 - betas[1] ** cast(steps, f64)), f32)
    map (p, g, m, v) over (params, grads, exp_avg, exp_avg_sq) {
      let d = _direction(p, g, weight_decay, maximize)
      m = betas[0] * m + (1 - betas[0]) * d
      v = betas[1] * v + (1 - betas[1]) * d * d
    }
    if amsgrad {
      map (v, most) over (exp_avg_sq, max_exp_avg_sq) { most = maximum(most, v) }
      map (p, m, most) over (params, exp_avg, max_exp_avg_sq) { p = p - rate * m / (sqrt(most) / root + eps) }
    } else {
      map (p, m, v) over (params, exp_avg, exp_avg_sq) { p = p - rate * m / (sqrt(v) / root + eps) }
    }
  }
}
