tdsl 1
# examples/text/char_lstm.td, so small that the interpreter runs it.
import std.optim { Adam }
import "../../../examples/text/char_lstm.td" { CharLSTM, loss }

dim B, T

export fn train_step(
  net: mut CharLSTM(7, 4, 6),
  opt: mut Adam(net, lr: 2e-3),
  x: i64[B, T],
  y: i64[B, T],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, clip_grad_norm(g, 1.0))
  l
}
