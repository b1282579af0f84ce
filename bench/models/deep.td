tdsl 1
# Training steps of networks that differ in their depth alone.
import std.nn { Linear }
import std.optim { SGD }

dim B

model Deep(depth: int) {
  layers: [Linear(128, 128) for i in 0..depth]
  fn forward(x: f32[B, 128]) -> f32[B, 128] {
    let h = x
    for layer in layers { h = relu(layer(h)) }
    h
  }
}

fn step[M: model](net: mut M, opt: mut any, x: f32[B, 128], y: f32[B, 128]) -> f32 {
  let (l, g) = value_and_grad(net => mse_loss(net(x), y))(net)
  opt.step(net, g)
  l
}
fn Optimizer(net: model) = SGD(net, lr: 0.1)
let One = Deep(1)
let Two = Deep(2)
let Four = Deep(4)
let Eight = Deep(8)
let Sixteen = Deep(16)
let Thirty_two = Deep(32)

export fn depth_1(n1: mut One, o1: mut Optimizer(n1), x: f32[B, 128], y: f32[B, 128]) -> f32 =
  step(n1, o1, x, y)
export fn depth_2(n2: mut Two, o2: mut Optimizer(n2), x: f32[B, 128], y: f32[B, 128]) -> f32 =
  step(n2, o2, x, y)
export fn depth_4(n4: mut Four, o4: mut Optimizer(n4), x: f32[B, 128], y: f32[B, 128]) -> f32 =
  step(n4, o4, x, y)
export fn depth_8(n8: mut Eight, o8: mut Optimizer(n8), x: f32[B, 128], y: f32[B, 128]) -> f32 =
  step(n8, o8, x, y)
export fn depth_16(
  n16: mut Sixteen,
  o16: mut Optimizer(n16),
  x: f32[B, 128],
  y: f32[B, 128],
) -> f32 = step(n16, o16, x, y)
export fn depth_32(
  n32: mut Thirty_two,
  o32: mut Optimizer(n32),
  x: f32[B, 128],
  y: f32[B, 128],
) -> f32 = step(n32, o32, x, y)
