tdsl 1
# Joined along axis 0, the tensors agree in all other axes.
fn f(a: f32[4, 32, 8], b: f32[5, 31, 8]) = cat([a, b], dim: 0)
