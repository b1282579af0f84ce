tdsl 1
# A custom optimizer whose gradient has the type of the model.
model Net {
  param w: f32[3] = zeros
}

model Plain[M: model](net: M, lr: float = 0.1) {
  fn step(net: mut M, g: M) {
    map (p, d) over (net, g) { p -= lr * d }
  }
}

fn loss(net: Net, x: f32[3]) -> (f32, f32[3]) = (sum(net.w * x), net.w * x)

export fn train_step(net: mut Net, opt: mut Plain(net), x: f32[3]) -> f32 {
  let ((l, aux), g) = value_and_grad(loss, wrt: net, has_aux: true)(net, x)
  opt.step(net, g)
  l
}

export fn loss_alone(net: Net, x: f32[3]) -> f32 = value_and_grad(loss, wrt: net)(net, x)[0]
