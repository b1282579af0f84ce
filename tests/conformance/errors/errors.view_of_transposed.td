tdsl 1
# Legal here: a reshape copies where it has to, and gives the row-major order of the transposed matrix.
fn f(x: f32[2, 3]) -> f32[6] = reshape(t(x), [6])
