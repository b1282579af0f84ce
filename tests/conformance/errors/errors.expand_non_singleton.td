tdsl 1
# Only axes of size 1 expand.
fn f(x: f32[2, 3]) = expand(x, [4, 3])
