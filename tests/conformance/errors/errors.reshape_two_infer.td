tdsl 1
# One size may be left open, not two.
fn f(x: f32[2, 3]) = reshape(x, [-1, -1])
