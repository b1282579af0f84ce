tdsl 1
# 4. Logistic gates. A neuron with a threshold computes AND, OR and NAND; XOR takes two layers, because no line parts its answers.
import std.nn { Linear }
import std.optim { Adam, SGD }

dim n

## 1 where w · x + b is not negative, else 0.
fn neuron(x: f32[n, 2], w: [float], b: float) -> f32[n] = cast(x @ tensor(w) + b >= 0, f32)

fn and_gate(x: f32[n, 2]) -> f32[n] = neuron(x, [1.0, 1.0], -1.5)
fn or_gate(x: f32[n, 2]) -> f32[n] = neuron(x, [1.0, 1.0], -0.5)
fn nand_gate(x: f32[n, 2]) -> f32[n] = neuron(x, [-1.0, -1.0], 1.5)

## XOR is AND of NAND and OR: the second layer sees what the first one says.
fn xor_gate(x: f32[n, 2]) -> f32[n] = and_gate(stack([nand_gate(x), or_gate(x)], dim: 1))

export fn gates(x: f32[n, 2]) -> { and: f32[n], or: f32[n], nand: f32[n], xor: f32[n] } =
  { and: and_gate(x), or: or_gate(x), nand: nand_gate(x), xor: xor_gate(x) }

## One logistic neuron: a line, on one side of which the probability is above a half.
model Line {
  linear: Linear(2, 1)
  fn forward(x: f32[n, 2]) -> f32[n] = squeeze(linear(x), 1)
}

## With a hidden layer the boundary bends.
model MLP {
  hidden: Linear(2, 4)
  out: Linear(4, 1)
  fn forward(x: f32[n, 2]) -> f32[n] = squeeze(x |> hidden |> tanh |> out, 1)
}

## The losses of 500 steps on all four points. The loop is part of the program, so that one native call trains.
fn learn[M: model](net: mut M, opt: mut any, x: f32[n, 2], y: f32[n]) -> f32[500] {
  let loss = net => binary_cross_entropy_with_logits(net(x), y)
  let (losses, _) = scan 0..500 from 0 { (none_carried, step) =>
    let (l, g) = value_and_grad(loss)(net)
    opt.step(net, g)
    (none_carried, l)
  }
  losses
}

export fn train_line(
  line: mut Line,
  line_opt: mut SGD(line, lr: 0.5),
  x: f32[n, 2],
  y: f32[n],
) -> f32[500] = learn(line, line_opt, x, y)
export fn train_net(
  net: mut MLP,
  opt: mut Adam(net, lr: 0.05),
  x: f32[n, 2],
  y: f32[n],
) -> f32[500] = learn(net, opt, x, y)

## The probabilities of a 1.
export fn predict_line(line: Line, x: f32[n, 2]) -> f32[n] = sigmoid(line(x))
export fn predict_net(net: MLP, x: f32[n, 2]) -> f32[n] = sigmoid(net(x))
