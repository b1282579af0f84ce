tdsl 1
# Only square matrices have an inverse.
fn f(a: f32[2, 3]) = inverse(a)
