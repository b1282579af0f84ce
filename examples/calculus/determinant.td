tdsl 1
# The determinant by Laplace's expansion: a recursion on the size, which ends when compiling.

## The matrix without its first row and the column `j`.
fn minor(a: f64[n, n], j: int) -> f64[n - 1, n - 1] = cat([a[1:, :j], a[1:, j + 1:]], 1)

fn determinant(a: f64[n, n]) -> f64 {
  if n == 1 {
    a[0, 0]
  } else {
    let signed = [a[0, j] * determinant(minor(a, j)) * (-1) ** j for j in 0..n]
    sum(stack(signed))
  }
}

## The determinant of a matrix and its derivative, which is the transposed adjugate.
export fn of_four(a: f64[4, 4]) -> (f64, f64[4, 4]) = value_and_grad(determinant)(a)
