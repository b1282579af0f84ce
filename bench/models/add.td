tdsl 1
# So little work that a call of it is all overhead.

export fn add(a: f32[4], b: f32[4]) -> f32[4] = a + b
