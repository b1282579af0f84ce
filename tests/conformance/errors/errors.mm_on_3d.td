tdsl 1
# `mm` takes two matrices; `matmul` and `@` take batches of them.
fn f(a: f32[2, 3, 4], b: f32[4, 2]) = mm(a, b)
