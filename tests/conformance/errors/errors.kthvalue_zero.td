tdsl 1
# The smallest element is the first, not the zeroth.
fn smallest(x: f32[2, 3]) = kthvalue(x, 0)
