tdsl 1
# examples/text/gpt.td, so small that the interpreter runs it.
import std.optim { AdamW }
import "../../../examples/text/gpt.td" { GPT, loss }
import "../../../examples/text/sampling.td" { sample }

dim B, T

export fn train_step(
  net: mut GPT(7, 4, 8, 2, 2),
  opt: mut AdamW(net, lr: 1e-3, weight_decay: 0.1),
  x: i64[B, T],
  y: i64[B, T],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, clip_grad_norm(g, 1.0))
  l
}

export fn next(
  net: GPT(7, 4, 8, 2, 2),
  key: mut key,
  text: i64[T],
  temperature: f32,
  top_k: i64,
) -> i64 = sample(net(unsqueeze(text, 0))[0, -1], temperature, top_k)
