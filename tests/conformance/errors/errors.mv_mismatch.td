tdsl 1
# Three columns, four elements.
fn f(a: f32[4, 3], v: f32[4]) = mv(a, v)
