tdsl 1
# Of three classes, the last one is 2.
fn f() -> i64[1, 3] = one_hot(tensor([3]), num_classes: 3)
