tdsl 1
# A probability of 1.5.
import std.nn { Dropout }

model Net {
  drop: Dropout(1.5)
  fn forward(x: f32[2]) -> f32[2] = drop(x)
}
