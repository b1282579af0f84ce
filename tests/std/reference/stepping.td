tdsl 1
# Programs of the reference cases of optimizers, written by cases_optimizers.py: 6 steps down a quadratic from a given point.
import std.optim { Adadelta, Adagrad, Adam, AdamW, Adamax, NAdam, RMSprop, SGD }

model Affine {
  param w: f32[2] = zeros
  param b: f32[3] = zeros
}

fn quadratic(net: Affine, A: f32[3, 2], y: f32[3]) -> f32 = 0.5 * sum((A @ net.w + net.b - y) ** 2)

fn descend[O: model](net: mut Affine, opt: mut O, A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3]) {
  net.w = w0
  net.b = b0
  let (ws, bs, losses) = ([], [], [])
  for step in 0..6 {
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    ws = ws + [net.w]
    bs = bs + [net.b]
    losses = losses + [l]
  }
  (stack(ws), stack(bs), stack(losses))
}

fn stepping_sgd(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut SGD(net, lr: 0.1)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_sgd_momentum(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut SGD(net, lr: 0.1, momentum: 0.9)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_sgd_dampening(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut SGD(net, lr: 0.1, momentum: 0.8, dampening: 0.3)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_sgd_nesterov(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut SGD(net, lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 0.1)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_sgd_maximize(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut SGD(net, lr: 0.01, momentum: 0.5, maximize: true)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adam(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut Adam(net, lr: 0.1)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adam_all(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut Adam(net, lr: 0.05, betas: [0.8, 0.95], eps: 0.001, weight_decay: 0.1, amsgrad: true)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adam_maximize(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut Adam(net, lr: 0.05, maximize: true)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adamw(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut AdamW(net, lr: 0.1)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adamw_all(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut AdamW(net, lr: 0.1, weight_decay: 0.3, amsgrad: true, maximize: true)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adamax(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut Adamax(net, lr: 0.1)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adamax_all(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut Adamax(net, lr: 0.05, betas: [0.7, 0.9], weight_decay: 0.2, maximize: true)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_nadam(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut NAdam(net, lr: 0.1, weight_decay: 0.1, momentum_decay: 0.1)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_rmsprop(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut RMSprop(net, lr: 0.05)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_rmsprop_all(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut RMSprop(net, lr: 0.02, alpha: 0.8, eps: 0.01, weight_decay: 0.1, momentum: 0.5, centered: true, maximize: true)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adagrad(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut Adagrad(net, lr: 0.3)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adagrad_all(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut Adagrad(net, lr: 0.3, lr_decay: 0.1, weight_decay: 0.1, initial_accumulator_value: 0.5, eps: 0.01, maximize: true)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adadelta(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut Adadelta(net, lr: 1.0)) =
  descend(net, opt, A, y, w0, b0)

fn stepping_adadelta_all(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut Adadelta(net, lr: 0.7, rho: 0.8, eps: 0.001, weight_decay: 0.1, maximize: true)) =
  descend(net, opt, A, y, w0, b0)
