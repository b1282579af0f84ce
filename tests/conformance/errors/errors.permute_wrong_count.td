tdsl 1
# A permutation names every axis once.
fn f(x: f32[2, 3, 4]) = permute(x, [0, 1])
