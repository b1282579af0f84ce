tdsl 1
# A parameter is written by a function that does not declare its model `mut`.
model Line {
  param w: f32[2] = rand
  fn forward(x: f32[2]) -> f32 = dot(w, x)
}

export fn update(line: Line, x: f32[2]) -> f32 {
  line.w -= 0.1
  line(x)
}
