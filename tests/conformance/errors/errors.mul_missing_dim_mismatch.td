tdsl 1
# One factor for each row has to be a column: axes are matched from the last one.
fn scale_rows(x: f32[3, 4], factors: f32[3]) = x * factors
