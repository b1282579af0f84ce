tdsl 1
# Floats would give infinity; integers have none.
fn f() = div(tensor([1]), tensor([0]), rounding_mode: "floor")
