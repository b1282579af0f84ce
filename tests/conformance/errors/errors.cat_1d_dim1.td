tdsl 1
# Vectors have no axis 1; as columns they would.
fn columns(a: f32[4], b: f32[4]) = cat([a, b], dim: 1)
