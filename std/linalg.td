tdsl 1
# Linear algebra that index expressions can say.

## A vector as the diagonal of a square matrix, or the diagonal of a matrix; `diagonal` counts from the main one upwards.
fn diag(input: tensor, diagonal: int = 0) -> tensor {
  assert(
    ndim(input) == 1 || ndim(input) == 2,
    "diag takes a vector or a matrix, not a tensor of shape " + input.shape,
  )
  if ndim(input) == 2 {
    diagonal_of(input, diagonal)
  } else {
    let shift = if diagonal < 0 { -diagonal } else { diagonal }
    let n = size(input, 0) + shift
    let (low, high) = if diagonal < 0 { (0, shift) } else { (shift, 0) }
    where(_offsets(n, n) == diagonal, pad_constant(input, [low], [high]), cast(0, input.dtype))
  }
}

## Column minus row of each element of a matrix.
fn _offsets(rows: dim, columns: dim) -> tensor =
  arange(end: columns) - unsqueeze(arange(end: rows), 1)

## The diagonal of the last two axes.
fn diagonal_of(input: tensor, offset: int) -> tensor {
  let (rows, columns) = (size(input, -2), size(input, -1))
  let (down, right) = if offset < 0 { (-offset, 0) } else { (0, offset) }
  assert(
    down <= rows && right <= columns,
    "the diagonal " + offset + " lies outside of a matrix of " + rows + " x " + columns,
  )
  let place = arange(end: smaller_of(rows - down, columns - right))
  input[..., place + down, place + right]
}

## The diagonal of the axes `dim1` and `dim2`, as a new last axis; `offset` counts from the main one upwards. Beyond the corners it is empty.
fn diagonal(input: tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> tensor {
  let rank = ndim(input)
  let (a, b) = (axis_of(dim1, rank), axis_of(dim2, rank))
  assert(a != b, "diagonal needs two different axes")
  let rest = [i for i in 0..rank if i != a && i != b]
  let matrices = permute(input, rest + [a, b])
  let (rows, columns) = (size(input, a), size(input, b))
  if is_known(rows) && is_known(columns) && (-offset > rows || offset > columns) {
    reshape(narrow(matrices, -1, 0, 0), [size(input, i) for i in rest] + [0])
  } else {
    diagonal_of(matrices, offset)
  }
}

## The sum of the main diagonal.
fn trace(input: tensor) -> tensor {
  assert(ndim(input) == 2, "trace takes a matrix, not a tensor of shape " + input.shape)
  sum(diagonal_of(input, 0))
}

## The elements on and below a diagonal of the last two axes; the others are 0.
fn tril(input: tensor, diagonal: int = 0) -> tensor {
  assert(ndim(input) >= 2, "tril takes a matrix or a batch of them")
  where(_offsets(size(input, -2), size(input, -1)) <= diagonal, input, cast(0, input.dtype))
}

## The elements on and above a diagonal of the last two axes; the others are 0.
fn triu(input: tensor, diagonal: int = 0) -> tensor {
  assert(ndim(input) >= 2, "triu takes a matrix or a batch of them")
  where(_offsets(size(input, -2), size(input, -1)) >= diagonal, input, cast(0, input.dtype))
}

## The n-th power of square matrices, by repeated squaring; for negative n that of the inverse.
fn matrix_power[T: number](A: T[*S, m, m], n: int) -> T[*S, m, m] {
  if n < 0 {
    matrix_power(inverse(A), -n)
  } else if n == 0 {
    expand(eye(m, dtype: A.dtype), A.shape)
  } else if n == 1 {
    A
  } else {
    let half = matrix_power(A, n // 2)
    if n % 2 == 0 { half @ half } else { half @ half @ A }
  }
}

## A norm of vectors along `dim`, of all elements without it: `(sum |x|^ord)^(1/ord)`, with `inf`, `-inf` and 0 as in `norm`.
fn vector_norm[T: float](
  x: T[*S],
  ord: float = 2.0,
  dim: (int | [int])? = none,
  keepdim: bool = false,
) -> tensor = norm(x, ord, dim, keepdim)

## A norm of matrices, whose rows and columns lie along the axes `dim`: `"fro"`, `"nuc"` (the sum of the singular values), `inf` and `-inf` (the largest and smallest sum of sizes of a row),
## 1 and -1 (of a column), 2 and -2 (the largest and smallest singular value).
fn matrix_norm[T: float](
  A: T[*S],
  ord: float | string = "fro",
  dim: [int] = [-2, -1],
  keepdim: bool = false,
) -> tensor {
  let rank = len(S)
  assert(rank >= 2 && len(dim) == 2, "matrix_norm takes a tensor of matrices, and two axes")
  let (row, column) = (axis_of(dim[0], rank), axis_of(dim[1], rank))
  assert(row != column, "matrix_norm: the axes of rows and columns differ")
  let rest = [i for i in 0..rank if i != row && i != column]
  let values = _matrix_norm(permute(A, rest + [row, column]), ord)
  if keepdim {
    reshape(values, [if i == row || i == column { 1 } else { S[i] } for i in 0..rank])
  } else {
    values
  }
}

fn _matrix_norm(A: tensor, ord: float | string) -> tensor {
  if is_string(ord) {
    assert(
      ord == "fro" || ord == "nuc",
      "matrix_norm: ord is a number, \"fro\" or \"nuc\", not \"" + ord + "\"",
    )
    if ord == "fro" { norm(A, 2.0, [-2, -1]) } else { sum(svdvals(A), -1) }
  } else if ord == inf {
    amax(sum(abs(A), -1), -1)
  } else if ord == -inf {
    amin(sum(abs(A), -1), -1)
  } else if ord == 1.0 {
    amax(sum(abs(A), -2), -1)
  } else if ord == -1.0 {
    amin(sum(abs(A), -2), -1)
  } else {
    assert(
      ord == 2.0 || ord == -2.0,
      "matrix_norm: ord is one of 1, -1, 2, -2, inf, -inf, not " + ord,
    )
    let s = svdvals(A)
    if ord > 0.0 { amax(s, -1) } else { amin(s, -1) }
  }
}
