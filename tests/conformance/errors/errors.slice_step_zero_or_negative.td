tdsl 1
# Python reads a list backwards like this.
fn reversed(x: f32[5]) -> f32[5] = x[::-1]
