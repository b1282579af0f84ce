tdsl 1
# A tensor of three elements where one number is declared.
fn loss(x: f32[3]) -> f32 = x
