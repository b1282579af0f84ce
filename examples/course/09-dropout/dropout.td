tdsl 1
# 9. Dropout: in training each unit is left out with probability p, and the others are divided by 1 - p, so that sums keep their expectation.
import std.nn { Dropout, Linear }
import std.optim { Adam }

dim B, n

## By hand: a mask of uniform draws. `rand` draws from the key of the session, anew for each call.
export fn by_hand(k: mut key, x: f32[n], p: f32) -> f32[n] = cast(rand([n]) >= p, f32) * x / (1 - p)

## The extremes: nothing is dropped, all is dropped.
export fn extremes(k: mut key, x: f32[n]) -> (f32[n], f32[n]) = (dropout(x, 0.0), dropout(x, 1.0))

## Wide layers for few examples: with p = 0 the network learns the training data by heart.
model MLP(p: float) {
  fc1: Linear(784, 256)
  drop1: Dropout(p)
  fc2: Linear(256, 256)
  drop2: Dropout(p)
  out: Linear(256, 10)
  fn forward(x: f32[B, 784]) -> f32[B, 10] =
    x |> fc1 |> relu |> drop1 |> fc2 |> relu |> drop2 |> out
}

## A network under `mut` is in training, so its dropout draws; one that is only read is in evaluation, so it does not.
export fn train_plain(plain: mut MLP(0.0), opt: mut Adam(plain), x: f32[B, 784], y: i64[B]) -> f32 {
  let (l, g) = value_and_grad(net => cross_entropy(net(x), y))(plain)
  opt.step(plain, g)
  l
}
export fn train_dropped(
  dropped: mut MLP(0.5),
  dropped_opt: mut Adam(dropped),
  x: f32[B, 784],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(net => cross_entropy(net(x), y))(dropped)
  dropped_opt.step(dropped, g)
  l
}
export fn loss(plain: MLP(0.0), dropped: MLP(0.5), x: f32[B, 784], y: i64[B]) -> (f32, f32) =
  (cross_entropy(plain(x), y), cross_entropy(dropped(x), y))
export fn predict_plain(plain: MLP(0.0), x: f32[B, 784]) -> i64[B] = argmax(plain(x), dim: 1)
export fn predict_dropped(dropped: MLP(0.5), x: f32[B, 784]) -> i64[B] = argmax(dropped(x), dim: 1)
