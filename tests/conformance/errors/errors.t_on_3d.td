tdsl 1
# `t` is for matrices; `permute` and `transpose` take any rank.
fn f(x: f32[2, 3, 4]) = t(x)
