tdsl 1
# Integers carry no gradient.
fn f() = grad(x => sum(x))(tensor([1, 2]))
