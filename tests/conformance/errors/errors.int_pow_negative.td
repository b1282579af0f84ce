tdsl 1
# 2 to the power of -1 is no integer.
fn f(x: i64[1]) = x ** -1
