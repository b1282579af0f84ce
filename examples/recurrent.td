tdsl 1
import std.nn { Linear }
import std.optim { Adam }

dim B, T

## A recurrent layer: a scan carries its state along the time axis, which may have any length.
model Elman(inputs: int, hidden: int) {
  from_input: Linear(inputs, hidden)
  from_state: Linear(hidden, hidden, bias: false)
  fn forward(xs: f32[T, B, inputs], h0: f32[B, hidden]) -> (f32[T, B, hidden], f32[B, hidden]) =
    scan xs from h0 { (h, x) => let next = tanh(from_input(x) + from_state(h)); (next, next) }
}

## Predicts the next element of a sequence from the ones before it.
model Forecaster(inputs: int = 4, hidden: int = 16) {
  layer: Elman(inputs, hidden)
  head: Linear(hidden, inputs)
  fn forward(xs: f32[T, B, inputs]) -> f32[T, B, inputs] = head(layer(xs, zeros([B, hidden]))[0])
}

fn loss(net: Forecaster, xs: f32[T, B, 4], ys: f32[T, B, 4]) -> f32 = mse_loss(net(xs), ys)

export fn predict(net: Forecaster, xs: f32[T, B, 4]) -> f32[T, B, 4] = net(xs)

export fn train_step(
  net: mut Forecaster,
  opt: mut Adam(net, lr: 1e-3),
  xs: f32[T, B, 4],
  ys: f32[T, B, 4],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, xs, ys)
  opt.step(net, g)
  l
}
