tdsl 1
# The cotangent has the shape of the value.
fn pull_back(x: f32[2, 3]) = vjp(x => x * 2, x, ones([3, 2]))
