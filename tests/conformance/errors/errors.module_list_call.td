tdsl 1
# A list of layers is not a layer.
import std.nn { Linear }

model Net {
  layers: [Linear(784, 256)]
  fn forward(x: f32[1, 784]) -> f32[1, 256] = layers(x)
}
