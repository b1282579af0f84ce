tdsl 1
# The layer takes 784 features, but the last axis of the images has 28.
import std.nn { Linear }

model Classifier {
  fc: Linear(784, 10)
  fn forward(images: f32[4, 1, 28, 28]) -> f32[4, 10] = fc(images)
}
