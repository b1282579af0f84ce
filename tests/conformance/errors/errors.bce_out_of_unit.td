tdsl 1
# A probability of 1.5.
fn f() -> f32 = binary_cross_entropy(tensor([1.5]), tensor([1.0]))
