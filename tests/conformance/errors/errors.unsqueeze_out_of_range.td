tdsl 1
# Of a tensor of rank 4, a new axis goes to one of the places -5 to 4.
fn f(x: f32[4, 1, 28, 28]) = unsqueeze(x, 5)
