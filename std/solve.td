tdsl 1
# Equations in matrices and what is defined by them, of f32 and f64, with any leading axes.

## The leading axes that those of two tensors broadcast to.
fn _joined(a: [dim], b: [dim]) -> [dim] {
  let rank = if len(a) > len(b) { len(a) } else { len(b) }
  let left = [1 for i in len(a)..rank] + a
  let right = [1 for i in len(b)..rank] + b
  [if is_known(left[i]) && left[i] == 1 { right[i] } else { left[i] } for i in 0..rank]
}

## X with `A X = B` for triangular A, of which the triangle is read that `upper` names, and its diagonal unless `unitriangular` takes it for ones.
fn solve_triangular[T: f32 | f64, n, k](
  A: T[*S, n, n],
  B: T[*U, n, k],
  upper: bool,
  unitriangular: bool = false,
) -> tensor {
  let batch = _joined(S, U)
  _substituted(expand(A, batch + [n, n]), expand(B, batch + [n, k]), upper, unitriangular)
}
  derivative (dA, dB) => {
    let diagonal = if unitriangular { 1 } else { 0 }
    let moved = if upper { triu(dA, diagonal) } else { tril(dA, -diagonal) }
    solve_triangular(A, dB - moved @ result, upper, unitriangular)
  }

## Forward or backward substitution: one unknown after another, for all right sides at once.
fn _substituted[T: f32 | f64, n, k](
  A: T[*S, n, n],
  B: T[*S, n, k],
  upper: bool,
  unitriangular: bool,
) -> T[*S, n, k] {
  if is_known(n) && n == 0 { B } else { _rows_of_solution(A, B, upper, unitriangular) }
}

fn _rows_of_solution[T: f32 | f64, n, k](
  A: T[*S, n, n],
  B: T[*S, n, k],
  upper: bool,
  unitriangular: bool,
) -> T[*S, n, k] {
  let i = arange(end: n)
  let (rows, _) = scan 0..n from B { (rest, step) =>
    let at = if upper { n - 1 - step } else { step }
    let row = rest[..., at, :]
    let found = if unitriangular { row } else { row / unsqueeze(A[..., at, at], -1) }
    let column = where(if upper { i < at } else { i > at }, A[..., at], 0)
    (rest - unsqueeze(column, -1) * unsqueeze(found, -2), found)
  }
  movedim(if upper { flip(rows, 0) } else { rows }, 0, -2)
}

## X with `A X = B` for square matrices A. B is a matrix or a vector, or a batch of them, vectors where its shape is that of A without the last
## axis; leading axes broadcast. A matrix without an inverse gives infinities and NaN.
fn solve[T: f32 | f64](A: T[*S], B: T[*U]) -> tensor {
  let (a, b) = (len(S), len(U))
  assert(a >= 2, "solve takes matrices, not a tensor of shape " + S)
  assert(size(A, -1) == size(A, -2), "solve takes square matrices, not a tensor of shape " + S)
  assert(b >= 1, "solve: the right side is a vector or a matrix")
  let is_vector = b == 1 || (b == a - 1 && _same(S[:-1], U))
  let rows = if is_vector { size(B, -1) } else { size(B, -2) }
  let n = size(A, -1)
  assert(rows == n, "solve: the right side has " + rows + " rows, but the matrix has " + n)
  if is_vector { squeeze_axes(_solve(A, unsqueeze(B, -1)), -1) } else { _solve(A, B) }
}

## Whether sizes are known to be equal.
fn _same(a: [dim], b: [dim]) -> bool {
  let same = true
  for i in 0..len(a) { same = same && is_known(a[i] - b[i]) && a[i] - b[i] == 0 }
  same
}

fn _solve[T: f32 | f64, n, k](A: T[*S, n, n], B: T[*U, n, k]) -> tensor {
  let batch = _joined(S, U)
  let (factors, order, _) = lu_factor(A)
  assert_known(
    diagonal_of(factors, 0) != 0,
    "the matrix has no inverse: a pivot of its elimination is 0",
  )
  let lu = expand(factors, batch + [n, n])
  let ordered = rows_in_order(expand(B, batch + [n, k]), expand(order, batch + [n]))
  _substituted(lu, _substituted(lu, ordered, false, true), true, false)
}
  derivative (dA, dB) => _solve(A, dB - dA @ result)

## The inverse of square matrices, by elimination with partial pivoting. A matrix without an inverse gives infinities and NaN.
fn inverse[T: f32 | f64](input: T[*S, n, n]) -> T[*S, n, n] =
  _solve(input, eye(n, dtype: input.dtype))
  derivative (dA) => -(result @ dA @ result)

## The determinant: the product of the pivots of elimination.
fn det[T: f32 | f64](input: T[*S, n, n]) -> T[*S] {
  let (factors, _, parity) = lu_factor(input)
  parity * prod(diagonal_of(factors, 0), -1)
}
  derivative (dA) => sum(cofactors(input) * dA, [-2, -1])

## The sign of the determinant, and the logarithm of its size: 0 and -inf of a matrix without an inverse.
fn slogdet[T: f32 | f64](A: T[*S, n, n]) -> (T[*S], T[*S]) {
  let (factors, _, parity) = lu_factor(A)
  let pivots = diagonal_of(factors, 0)
  (parity * prod(sign(pivots), -1), sum(log(abs(pivots)), -1))
}
  derivative (dA) => (zeros(S, A.dtype), sum(matrix_transpose(inverse(A)) * dA, [-2, -1]))

## The logarithm of the determinant: NaN where that is negative, -inf where it is 0.
fn logdet[T: f32 | f64](input: T[*S, n, n]) -> T[*S] {
  let (sign, size) = slogdet(input)
  where(sign < 0, nan, size)
}

## The matrix of cofactors, the derivative of the determinant by each element: det(A) times the transposed inverse, where A has one. Elimination with complete
## pivoting `A = P' L U Q'` leaves what a matrix lacks in its last pivot d, so that with `U = [[V, u], [0, d]]` the cofactors are
## those of the triangles, `det(V) [[d V^-1, -V^-1 u], [0, 1]] L^-1`, also where d is 0.
fn cofactors[T: f32 | f64, n](A: T[*S, n, n]) -> T[*S, n, n] =
  if is_known(n) && n == 0 { A } else { _cofactors(A) }

fn _cofactors[T: f32 | f64, n](A: T[*S, n, n]) -> T[*S, n, n] {
  let (factors, rows, columns, parity) = _complete(A)
  let i = arange(end: n)
  let last = i == n - 1
  let pivots = diagonal_of(factors, 0)
  let others = where(last, 1, pivots)
  let ones = eye(n, dtype: A.dtype)
  # adj(U) is det(V) times the inverse of U with 1 as its last pivot, times d on the diagonal and 1 in its corner.
  let solvable = where(i == unsqueeze(i, -1), unsqueeze(where(others == 0, 1, others), -1), factors)
  let ends = ones * unsqueeze(where(last, 1, pivots[..., n - 1:]), -1)
  let right = _substituted(solvable, ends, true, false)
  let left = _substituted(factors, expand(ones, A.shape), false, true)
  let size = unsqueeze(unsqueeze(parity * prod(others, -1), -1), -1)
  let ordered = matrix_transpose(
    rows_in_order(size * matrix_transpose(right @ left), _inverse_order(rows)),
  )
  matrix_transpose(rows_in_order(ordered, _inverse_order(columns)))
}

## The places that a permutation of each row puts the positions to.
fn _inverse_order(order: tensor) -> tensor =
  scatter(order, -1, order, expand(arange(end: size(order, -1)), order.shape))

## Elimination with complete pivoting: L and U in one matrix, the rows and columns of A in their order, and the sign of both permutations together.
fn _complete[T: f32 | f64, n](A: T[*S, n, n]) {
  let i = arange(end: n)
  let places = expand(i, S + [n])
  fold 0..n from (A, places, places, ones(S, A.dtype)) { ((a, rows, columns, parity), k) =>
    let open = i >= k && unsqueeze(i >= k, -1)
    let place = argmax(reshape(where(open, abs(a), -1), S + [n * n]), -1, keepdim: true)
    let (p, q) = (place // n, place % n)
    let order = where(i == k, p, where(i == p, k, i))
    let across = where(i == k, q, where(i == q, k, i))
    let b = gather(rows_in_order(a, order), -1, expand(unsqueeze(across, -2), A.shape))
    let pivot = unsqueeze(b[..., k, k], -1)
    let below = where(i > k && pivot != 0, b[..., k] / where(pivot == 0, 1, pivot), 0)
    let row = where(i > k, b[..., k, :], 0)
    let next = where(
      i == k && unsqueeze(i, -1) > k,
      unsqueeze(below, -1),
      b - unsqueeze(below, -1) * unsqueeze(row, -2),
    )
    let swaps = where(squeeze_axes(p == k, -1) == squeeze_axes(q == k, -1), parity, -parity)
    (next, gather(rows, -1, order), gather(columns, -1, across), swaps)
  }
}

## 1 / s for singular values above `rtol` times the largest (the first), and 0 for the others.
fn _reciprocals(s: tensor, rtol: number) -> tensor {
  let counts = s > rtol * largest_size(s, [-1])
  where(counts, 1 / where(counts, s, 1), 0)
}

## Singular values not above this part of the largest one count as 0: max(m, n) times the spacing of the dtype, unless it is given.
fn _threshold(A: tensor, rtol: float?) {
  let (m, n) = (size(A, -2), size(A, -1))
  if rtol == none { spacing(A.dtype) * (m + n - smaller_of(m, n)) } else { rtol }
}

## The pseudo-inverse of Moore and Penrose. Singular values not above `rtol` times the largest one count as 0, max(m, n) times the spacing of the dtype without it.
fn pinv[T: f32 | f64, m, n](A: T[*S, m, n], rtol: float? = none) -> T[*S, n, m] {
  let (u, s, vh) = thin_svd(A)
  let inverse = unsqueeze(_reciprocals(s, _threshold(A, rtol)), -1)
  matrix_transpose(vh) @ (inverse * matrix_transpose(u))
}
  derivative (dA) => {
    # Golub and Pereyra (1973).
    let (swapped, flipped) = (matrix_transpose(result), matrix_transpose(dA))
    let right = result @ (swapped @ (flipped - flipped @ A @ result))
    let left = (flipped - result @ (A @ flipped)) @ (swapped @ result)
    right + left - result @ dA @ result
  }

## How many singular values are above `rtol` times the largest one, max(m, n) times the spacing of the dtype without it.
fn matrix_rank[T: f32 | f64, m, n](A: T[*S, m, n], rtol: float? = none) -> i64[*S] {
  let s = thin_svd(A)[1]
  sum(s > _threshold(A, rtol) * largest_size(s, [-1]), -1)
}

## The X that makes `A X - B` smallest in squares, of several the smallest; B as in `solve`.
fn lstsq[T: f32 | f64](A: T[*S], B: T[*U]) -> tensor {
  let (a, b) = (len(S), len(U))
  assert(a >= 2, "lstsq takes matrices, not a tensor of shape " + S)
  let is_vector = b == 1 || (b == a - 1 && _same(S[:-1], U))
  let rows = if is_vector { size(B, -1) } else { size(B, -2) }
  let m = size(A, -2)
  assert(rows == m, "lstsq: the right side has " + rows + " rows, but the matrix has " + m)
  if is_vector { squeeze_axes(_lstsq(A, unsqueeze(B, -1)), -1) } else { _lstsq(A, B) }
}

fn _lstsq[T: f32 | f64, m, n, k](A: T[*S, m, n], B: T[*U, m, k]) -> tensor {
  let (u, s, vh) = thin_svd(A)
  let inverse = unsqueeze(_reciprocals(s, _threshold(A, none)), -1)
  matrix_transpose(vh) @ (inverse * (matrix_transpose(u) @ B))
}
  derivative (dA, dB) => {
    let p = pinv(A)
    let (swapped, flipped) = (matrix_transpose(p), matrix_transpose(dA))
    let left = flipped @ (swapped @ result)
    p @ (dB - dA @ result + swapped @ (flipped @ (B - A @ result))) + left - p @ (A @ left)
  }

## The exponential of square matrices: the [7/7] Padé approximant for f32, [13/13] for f64, of a matrix that is halved until its 1-norm is small enough,
## and squared as often (Higham 2005). Norms above 2^32 are too large to be halved so often.
fn matrix_exp[T: f32 | f64](input: T[*S, n, n]) -> T[*S, n, n] {
  let largest = if input.dtype == f64 { 5.371920351148152 } else { 3.925724783138660 }
  let size = squeeze_axes(largest_size(sum(abs(stop_gradient(input)), -2), [-1]), -1)
  let halvings = clamp(ceil(log2(maximum(size, largest) / largest)), 0, 32)
  let a = input * unsqueeze(unsqueeze(exp2(-halvings), -1), -1)
  let (odd, even) = if input.dtype == f64 { _pade13(a) } else { _pade7(a) }
  let start = _solve(even - odd, even + odd)
  let trips = squeeze_axes(largest_size(flatten(halvings), [0]), 0)
  let (power, _) = while done < trips max 32 from (power, done) = (start, cast(0, T)) {
    let goes_on = unsqueeze(unsqueeze(done < halvings, -1), -1)
    (where(goes_on, power @ power, power), done + 1)
  }
  power
}

## The odd and the even part of the numerator of a Padé approximant, in powers of A.
fn _pade7[T: f32 | f64](A: T[*S, n, n]) {
  let one = eye(n, dtype: A.dtype)
  let a2 = A @ A
  let a4 = a2 @ a2
  let a6 = a4 @ a2
  (
    A @ (a6 + 1512.0 * a4 + 277200.0 * a2 + 8648640.0 * one),
    56.0 * a6 + 25200.0 * a4 + 1995840.0 * a2 + 17297280.0 * one,
  )
}

fn _pade13[T: f32 | f64](A: T[*S, n, n]) {
  let one = eye(n, dtype: A.dtype)
  let a2 = A @ A
  let a4 = a2 @ a2
  let a6 = a4 @ a2
  let high_odd = a6 @ (a6 + 16380.0 * a4 + 40840800.0 * a2)
  let low_odd =
    33522128640.0 * a6 + 10559470521600.0 * a4 + 1187353796428800.0 * a2 + 32382376266240000.0 * one
  let high_even = a6 @ (182.0 * a6 + 960960.0 * a4 + 1323241920.0 * a2)
  let low_even =
    670442572800.0 * a6 +
      129060195264000.0 * a4 +
      7771770303897600.0 * a2 +
      64764752532480000.0 * one
  (A @ (high_odd + low_odd), high_even + low_even)
}
