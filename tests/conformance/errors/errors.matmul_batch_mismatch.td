tdsl 1
# The leading axes are [4, 3] and [4]: the last of them, 3 and 4, meet.
fn f(a: f32[4, 3, 28, 64], b: f32[4, 64, 32]) = matmul(a, b)
