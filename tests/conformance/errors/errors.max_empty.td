tdsl 1
# The largest of no elements.
fn f() -> f32 = max(zeros([0]))
