tdsl 1
# The second weight does not continue where the first layer ends.
import std.nn { Linear }

dim B

model MLP(inputs: int = 784, hidden: int = 256) {
  fc1: Linear(inputs, hidden)
  param w2: f32[128, 10] = normal(std: 0.01)
  param b2: f32[10] = zeros

  fn forward(x: f32[B, inputs]) -> f32[B, 10] {
    let h = relu(fc1(x))
    h @ w2 + b2
  }
}

export fn predict(net: MLP, x: f32[B, 784]) -> i64[B] = argmax(net(x), dim: 1)
