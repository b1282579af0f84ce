tdsl 1
# The step writes to the parameters of a model that it only reads.
import std.nn { Linear }
import std.optim { SGD }

dim B

fn loss(net: Linear(3, 1), x: f32[B, 3], y: f32[B, 1]) -> f32 = mse_loss(net(x), y)

export fn train_step(net: Linear(3, 1), opt: mut SGD(net, lr: 0.1), x: f32[B, 3], y: f32[B, 1]) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
