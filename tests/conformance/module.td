tdsl 1
# Transcriptions of the reference cases about layers and models. The models of the structure cases, whose names and shapes
# `module.ts` reads from the compiled program, are here too.
import std.nn { BatchNorm2d, Flatten, Linear, ReLU, Sequential, Sigmoid, Softmax }

fn module_mlp_by_hand_logits(
  x: f32[2, 4],
  w1: f32[3, 4],
  b1: f32[3],
  w2: f32[3, 3],
  b2: f32[3],
  w3: f32[2, 3],
  b3: f32[2]
) -> f32[2, 2] {
  let h1 = relu(x @ t(w1) + b1)
  let h2 = relu(h1 @ t(w2) + b2)
  relu(h2 @ t(w3) + b3)
}

fn module_gate_and(X: f32[4, 3], w: f32[3]) -> (f32[4], f32[4]) {
  let z = mv(X, w)
  (z, cast(z >= 0, f32))
}

model RandMlp {
  layers: Sequential([Linear(20, 13), ReLU(), Linear(13, 8), Sigmoid(), Linear(8, 3), Softmax(dim: 1)])
  fn forward(x: f32[500, 20]) -> f32[500, 3] = layers(x)
}

fn module_rand_mlp_500x20(x: f32[500, 20], net: RandMlp) -> f32[500, 3] = net(x)

model RandMnist {
  layers: Sequential([Flatten(), Linear(784, 256), ReLU(), Linear(256, 10)])
  fn forward(x: f32[256, 1, 28, 28]) -> f32[256, 10] = layers(x)
}

fn module_rand_mnist_784_256_10(x: f32[256, 1, 28, 28], net: RandMnist) -> f32[256, 10] = net(x)
