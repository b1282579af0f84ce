tdsl 1
# `backward` on a value, and the gradient of a model that the loss does not take.
import std.nn { Linear }

fn loss(net: Linear(3, 1), x: f32[2, 3]) -> f32 = sum(net(x))

export fn by_backward(net: Linear(3, 1), x: f32[2, 3]) -> f32 {
  let l = loss(net, x)
  l.backward()
  l
}

export fn by_name(net: Linear(3, 1), x: f32[2, 3]) -> f32[1, 3] = grad(loss, wrt: model)(net, x).weight

export fn by_input(net: Linear(3, 1), x: i64[2, 3]) -> f32[2, 3] = grad(loss, wrt: x)(net, x)
