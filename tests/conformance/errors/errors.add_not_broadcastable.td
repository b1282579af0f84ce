tdsl 1
# Batches of different sizes.
fn f(a: f32[4, 32, 14, 14], b: f32[2, 32, 14, 14]) = a + b
