tdsl 1
# A reflection reaches at most to the other end: 2 elements of 3.
fn f(x: f32[1, 1, 3]) = pad(x, [3, 0], mode: "reflect")
