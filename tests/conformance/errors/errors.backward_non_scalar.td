tdsl 1
# The gradient of a vector: which of its elements is meant?
fn slope(x: f32[3]) = grad(x => softmax(x, dim: 0))(x)
