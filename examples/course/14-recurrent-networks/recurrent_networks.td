tdsl 1
# 14. Recurrent networks: the same layer at every time, with a state that a scan carries from one to the next.
import std.nn { Linear, LSTM, RNN }
import std.optim { Adam }

dim B, T

## Elman's network by hand: the new state is a function of the old one and of the input. The derivative goes back through the scan.
model Elman(inputs: int, hidden: int) {
  from_input: Linear(inputs, hidden)
  from_state: Linear(hidden, hidden)
  fn forward(xs: f32[T, B, inputs]) -> f32[T, B, hidden] =
    (
      scan xs from zeros([B, hidden]) { (h, x) =>
        let next = tanh(from_input(x) + from_state(h))
        (next, next)
      }
    )[0]
}

## Forecasts the next value of a series from the ones before it.
model Forecaster {
  memory: Elman(1, 16)
  head: Linear(16, 1)
  fn forward(xs: f32[T, B, 1]) -> f32[T, B, 1] = head(memory(xs))
}
export fn forecast(series: Forecaster, xs: f32[T, B, 1]) -> f32[T, B, 1] = series(xs)
export fn train_forecast(
  series: mut Forecaster,
  series_opt: mut Adam(series, lr: 0.01),
  xs: f32[T, B, 1],
  ys: f32[T, B, 1],
) -> f32 {
  let (l, g) = value_and_grad(net => mse_loss(net(xs), ys))(series)
  series_opt.step(series, clip_grad_norm(g, 1.0))
  l
}

## A sequence of noise, whose first number alone says which of the classes 0 and 1 it has. Only what remembers can tell at the end.
model Elmans {
  memory: RNN(1, 24)
  head: Linear(24, 2)
  fn forward(xs: f32[T, B, 1]) -> f32[B, 2] = head(memory(xs)[0][-1])
}
model LongShortTerm {
  memory: LSTM(1, 24)
  head: Linear(24, 2)
  fn forward(xs: f32[T, B, 1]) -> f32[B, 2] = head(memory(xs)[0][-1])
}

fn learn[M: model](net: mut M, opt: mut any, xs: f32[T, B, 1], y: i64[B]) -> f32 {
  let (l, g) = value_and_grad(net => cross_entropy(net(xs), y))(net)
  opt.step(net, clip_grad_norm(g, 1.0))
  l
}
export fn train_rnn(
  rnn_net: mut Elmans,
  rnn_opt: mut Adam(rnn_net, lr: 0.005),
  xs: f32[T, B, 1],
  y: i64[B],
) -> f32 = learn(rnn_net, rnn_opt, xs, y)
export fn train_lstm(
  lstm_net: mut LongShortTerm,
  lstm_opt: mut Adam(lstm_net, lr: 0.005),
  xs: f32[T, B, 1],
  y: i64[B],
) -> f32 = learn(lstm_net, lstm_opt, xs, y)

## How much the last scores depend on the input of each time: gradients through a recurrence fade, or do not.
fn influence[M: model](net: M, xs: f32[T, B, 1]) -> f32[T] =
  norm(grad(xs => sum(net(xs)[:, 1]))(xs), 2.0, dim: [1, 2])
export fn influences(
  rnn_net: Elmans,
  lstm_net: LongShortTerm,
  xs: f32[T, B, 1],
) -> (f32[T], f32[T]) = (influence(rnn_net, xs), influence(lstm_net, xs))
export fn predict(rnn_net: Elmans, lstm_net: LongShortTerm, xs: f32[T, B, 1]) -> (i64[B], i64[B]) =
  (argmax(rnn_net(xs), dim: 1), argmax(lstm_net(xs), dim: 1))
