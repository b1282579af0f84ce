tdsl 1
# A matrix and a row: the row needs an axis more.
fn append_row(m: f32[2, 3], row: f32[3]) = cat([m, row], dim: 0)
