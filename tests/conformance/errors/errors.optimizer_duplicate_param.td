tdsl 1
# The second weight is listed twice in place of the first and the second.
import std.optim { SGD }

model Net {
  param v: f32[1] = zeros
  param w: f32[1] = zeros
  fn forward(x: f32[1]) -> f32[1] = v + w * x
}

export fn train_step(net: mut Net, opt: mut SGD([net.w, net.w], lr: 0.1), x: f32[1]) -> f32 {
  let (l, g) = value_and_grad(net => sum(net(x)))(net)
  opt.step([net.w, net.w], [g.w, g.w])
  l
}
