tdsl 1
# Decompositions of matrices, of f32 and f64, with any leading axes. Each is a loop of the language that works on whole matrices, so that
# one text serves all backends, and a batch is computed together. Their derivatives are those of the decomposition, not of the loop.

## The relative spacing of the numbers of a dtype.
fn spacing(dtype: dtype) -> float =
  if dtype == f64 { 2.220446049250313e-16 } else { 1.1920928955078125e-7 }

## The factors of `P A = L U`, by elimination with partial pivoting: L (without its ones) and U in one matrix, for each row its place in A, and the sign of the
## permutation. Where a column has no pivot but 0, that is what U has on its diagonal. Rows stay where they are: a pivot is looked for among those that were none.
fn lu_factor[T: f32 | f64](A: T[*S, n, n]) -> (T[*S, n, n], i64[*S, n], T[*S]) {
  if is_known(n) && n == 0 { (A, zeros(S + [0], i64), ones(S, A.dtype)) } else { _lu(A) }
}

fn _lu[T: f32 | f64](A: T[*S, n, n]) -> (T[*S, n, n], i64[*S, n], T[*S]) {
  let i = arange(end: n)
  let ((lower, upper, places), _) = scan 0..n from (A, full(S + [n], true)) { ((a, open), k) =>
    let column = a[..., k]
    let p = argmax(where(open, abs(column), -1), -1, keepdim: true)
    let row = squeeze_axes(rows_in_order(a, p), -2)
    let pivot = unsqueeze(row[..., k], -1)
    let remains = open && i != p
    let factor = where(remains && pivot != 0, column / where(pivot == 0, 1, pivot), 0)
    let next = a - unsqueeze(factor, -1) * unsqueeze(row, -2)
    ((next, remains), (factor, row, squeeze_axes(p, -1)))
  }
  let order = movedim(places, 0, -1)
  let below = rows_in_order(movedim(lower, 0, -1), order)
  let inversions = sum(
    unsqueeze(order, -1) > unsqueeze(order, -2) && unsqueeze(i, -1) < i,
    [-2, -1],
  )
  (
    where(unsqueeze(i, -1) > i, below, movedim(upper, 0, -2)),
    order,
    where(inversions % 2 == 0, 1, cast(-1, A.dtype)),
  )
}

## The rows of matrices at the positions that `order` holds, for each matrix its own.
fn rows_in_order(input: tensor, order: tensor) -> tensor =
  gather(input, -2, expand(unsqueeze(order, -1), order.shape + [size(input, -1)]))

## The lower triangular L with `A = L L^T` of a symmetric positive definite matrix, of which the lower triangle is read; with `upper` its transpose, from the upper triangle.
## NaN where a matrix is not positive definite.
fn cholesky[T: f32 | f64](A: T[*S, n, n], upper: bool = false) -> T[*S, n, n] =
  if upper { matrix_transpose(_cholesky(matrix_transpose(A))) } else { _cholesky(A) }

## The matrices of the last two axes, transposed.
fn matrix_transpose(input: tensor) -> tensor = transpose(input, -1, -2)

fn _cholesky[T: f32 | f64](A: T[*S, n, n]) -> T[*S, n, n] {
  if is_known(n) && n == 0 { A } else { _columns_of_cholesky(_symmetric(A, "L")) }
}
  derivative (dA) => {
    # dL = L half(L^-1 dA L^-T), where `half` keeps the lower triangle and half of the diagonal.
    let right = solve_triangular(result, (dA + matrix_transpose(dA)) / 2, upper: false)
    let both = solve_triangular(result, matrix_transpose(right), upper: false)
    result @ (tril(both) - both * eye(n, dtype: A.dtype) / 2)
  }

fn _columns_of_cholesky[T: f32 | f64](A: T[*S, n, n]) -> T[*S, n, n] {
  let i = arange(end: n)
  let (columns, _) = scan 0..n from A { (
    a,
    k,
    # The matrix is symmetric, and rows are faster to read than columns.
  ) =>
    let row = a[..., k, :]
    let column = where(i >= k, row / sqrt(unsqueeze(row[..., k], -1)), 0)
    (a - unsqueeze(column, -1) * unsqueeze(column, -2), column)
  }
  let factor = movedim(columns, 0, -1)
  assert_known(diagonal_of(factor, 0) > 0, "the matrix is not positive definite")
  factor
}

## The vectors v and factors f of the reflections `1 - f v v^T` that make a matrix upper triangular (Householder), and that matrix. As in LAPACK a column that is
## zero below the diagonal is not reflected, and others get the sign that avoids cancellation.
fn _reflections[T: f32 | f64, m, n](A: T[*S, m, n]) {
  let i = arange(end: m)
  let steps = smaller_of(m, n)
  scan 0..steps from A { (a, k) =>
    let x = where(i >= k, a[..., k], 0)
    let largest = amax(abs(x), -1, keepdim: true)
    let scaled = x / where(largest == 0, 1, largest)
    let diagonal = unsqueeze(scaled[..., k], -1)
    let needed = any(scaled != 0 && i > k, -1, keepdim: true)
    let length = sqrt(sum(scaled * scaled, -1, keepdim: true))
    let end = where(diagonal < 0, length, -length)
    let v = where(i == k, diagonal - end, scaled)
    let factor = where(needed, 2 / sum(v * v, -1, keepdim: true), 0)
    let products = unsqueeze(v, -2) @ a
    (a - unsqueeze(factor * v, -1) * products, (v, factor))
  }
}

## Q with orthonormal columns and upper triangular R with `A = Q R`, by Householder's reflections with LAPACK's signs. `mode` "reduced" gives min(m, n) columns of Q, "complete" m,
## "r" R alone and an empty Q.
fn qr[T: f32 | f64, m, n](A: T[*S, m, n], mode: string = "reduced") {
  assert(
    mode == "reduced" || mode == "complete" || mode == "r",
    "qr: mode is \"reduced\", \"complete\" or \"r\", not \"" + mode + "\"",
  )
  let k = smaller_of(m, n)
  if mode == "r" {
    (zeros([0], A.dtype), _qr(A, k)[1])
  } else {
    _qr(A, if mode == "complete" { m } else { k })
  }
}

fn _qr[T: f32 | f64, m, n](A: T[*S, m, n], columns: dim) {
  let start = expand(eye(m, columns, A.dtype), S + [m, columns])
  if is_known(m * n) && m * n == 0 {
    (start, zeros(S + [columns, n], A.dtype))
  } else {
    _reflected(A, start)
  }
}
  derivative (dA) => {
    # With W = dA R^-1 (of the first columns of both, where A is wide) and C = Q^T W, Q turns by the antisymmetric matrix that is C below its diagonal.
    let (q, r) = result
    let k = smaller_of(m, n)
    let triangle = matrix_transpose(r[..., :k, :k])
    let w = matrix_transpose(
      solve_triangular(triangle, matrix_transpose(dA[..., :k]), upper: false),
    )
    let c = matrix_transpose(q) @ w
    let low = tril(pad_constant(c, [0 for s in c.shape], [0 for s in S] + [0, columns - k]), -1)
    let turn = low - matrix_transpose(low)
    let outside = pad_constant(w - q @ c, [0 for s in c.shape], [0 for s in S] + [0, columns - k])
    (q @ turn + outside, matrix_transpose(q) @ dA - turn @ r)
  }

fn _reflected[T: f32 | f64, m, n, columns](A: T[*S, m, n], start: T[*S, m, columns]) {
  let ((vectors, factors), r) = _reflections(A)
  let q = fold (flip(vectors, 0), flip(factors, 0)) from start { (q, (v, factor)) =>
    q - unsqueeze(factor * v, -1) * (unsqueeze(v, -2) @ q)
  }
  (q, triu(r[..., :columns, :]))
}

## Rotates pairs of rows of `G` until all rows are orthogonal, and the rows of `W` with them: the one-sided method of Jacobi. Sweeps over all pairs go on until one
## finds no pair that is not orthogonal to rounding. A round rotates pairs that have no row in common, after the circle method of tournaments.
fn _orthogonal_rows[T: f32 | f64, n, m, q](G: T[*S, n, m], W: T[*S, n, q]) {
  let i = arange(end: n)
  let rounds = 2 * ((n + 1) // 2) - 1
  # In the circle of `rounds` rows one has no partner: it meets the last row where n is even, else nobody.
  let alone = where(i * 0 + n % 2 == 0, rounds, i)
  let rounding = spacing(G.dtype)
  let tolerance = sqrt(cast(m, G.dtype)) * rounding
  let (rows, others, _, _) = while unfinished &&
    sweep < 40 max 40 from (g, w, unfinished, sweep) = (G, W, cast(1, bool), 0) {
    let (g, w, found) = fold 0..rounds from (g, w, cast(0, bool)) { ((g, w, found), round) =>
      let opposite = (round - i + 2 * rounds) % rounds
      let last = round * ((rounds + 1) // 2) % rounds
      let partner = where(i == rounds, last, where(opposite == i, alone, opposite))
      let other = g[..., partner, :]
      let (own_size, size) = (sum(g * g, -1), sum(other * other, -1))
      let product = sum(g * other, -1)
      let limit = sqrt(own_size) * sqrt(size)
      let rotates = abs(product) > rounding * limit && i != partner
      let x = (size - own_size) / where(rotates, 2 * product, 1)
      let tangent = 1 / (abs(x) + sqrt(x * x + 1))
      let is_positive = x > 0 || (x == 0 && i < partner)
      let t = where(rotates, where(is_positive, tangent, -tangent), 0)
      let c = 1 / sqrt(t * t + 1)
      let rotated = unsqueeze(c, -1) * (g - unsqueeze(t, -1) * other)
      let rotated_w = unsqueeze(c, -1) * (w - unsqueeze(t, -1) * w[..., partner, :])
      (rotated, rotated_w, found || any(abs(product) > tolerance * limit && i != partner))
    }
    (g, w, found, sweep + 1)
  }
  (rows, others)
}

## The largest size of the elements along some axes, which keep the size 1; 0 of none.
fn largest_size(input: tensor, axes: [int]) -> tensor {
  let rank = ndim(input)
  let reduced = [axis_of(axis, rank) for axis in axes]
  let more = [if contains(reduced, i) { 1 } else { 0 } for i in 0..rank]
  amax(pad_constant(abs(input), [0 for i in 0..rank], more), axes, true)
}

## A matrix divided by its largest size, and that; 1 of a matrix of zeros or of one that is not finite.
fn _scaled[T: f32 | f64, m, n](A: T[*S, m, n]) {
  let largest = largest_size(A, [-2, -1])
  let scale = where(largest > 0 && largest < inf, largest, 1)
  (A / scale, scale)
}

## Matrices with orthonormal columns, the first of which are those of `A` up to rounding, whose columns are orthonormal as far as they are not 0.
fn _completed[T: f32 | f64, m, n](A: T[*S, m, n]) {
  let (q, r) = _qr(A, m)
  let diagonal = diagonal_of(r, 0)
  let sign = where(diagonal < 0, -1, cast(1, A.dtype))
  let signs = pad_constant(sign, [0 for s in S] + [0], [0 for s in S] + [m - smaller_of(m, n)], 1)
  q * unsqueeze(signs, -2)
}

## The singular value decomposition `A = U diag(S) Vh` with S descending, of tall matrices. U has m columns with `full`, else n.
fn _svd[T: f32 | f64, m, n](A: T[*S, m, n], full: bool) {
  let (scaled, scale) = _scaled(A)
  let (q, r) = _qr(scaled, if full { m } else { n })
  let (rows, turned) = _orthogonal_rows(r[..., :n, :], expand(eye(n, dtype: A.dtype), S + [n, n]))
  let sizes = sqrt(sum(rows * rows, -1))
  let order = argsort(sizes, -1, descending: true)
  let values = gather(sizes, -1, order)
  let directions = rows_in_order(rows, order) / unsqueeze(where(values > 0, values, 1), -1)
  let v = _completed(matrix_transpose(directions))
  # Every rotation has rounded the lengths of the rows.
  let turns = turned / sqrt(sum(turned * turned, -1, keepdim: true))
  let u = q[..., :n] @ matrix_transpose(rows_in_order(turns, order))
  let left = if full { cat([u, q[..., n:]], -1) } else { u }
  (left, values * squeeze_axes(scale, -1), matrix_transpose(v))
}
  derivative (dA) => {
    let (u, s, vh) = result
    let v = matrix_transpose(vh)
    let all = matrix_transpose(u) @ dA @ v
    let inner = all[..., :n, :]
    let swapped = matrix_transpose(inner)
    let row = unsqueeze(s, -2)
    let gaps = _reciprocal((row - unsqueeze(s, -1)) * (row + unsqueeze(s, -1)))
    let turn = gaps * (inner * row + unsqueeze(s, -1) * swapped)
    let dv = v @ (gaps * (unsqueeze(s, -1) * inner + swapped * row))
    let du = if full {
      # The columns that U has beside those of the singular values move only as they must to stay orthogonal.
      let outside = all[..., n:, :] * _reciprocal(row)
      let left = cat([turn, outside], -2)
      let right = pad_constant(
        -matrix_transpose(outside),
        [0 for s in outside.shape],
        [0 for s in S] + [m - n, 0],
      )
      u @ cat([left, right], -1)
    } else {
      u @ turn + (dA @ v - u @ inner) * _reciprocal(row)
    }
    (du, diagonal_of(inner, 0), matrix_transpose(dv))
  }

## 1 / x, and 0 of 0: what belongs to equal singular values or eigenvalues cancels in every function that is the same for all choices of their vectors.
fn _reciprocal(x: tensor) -> tensor = where(x == 0, 0, 1 / where(x == 0, 1, x))

## The singular value decomposition `A = U diag(S) Vh`: orthonormal columns of U and rows of Vh, and S descending. With `full_matrices` U and Vh are square. By one-sided rotations after
## a QR decomposition. Singular vectors are unique up to signs, where the singular values differ.
fn svd[T: f32 | f64, m, n](A: T[*S, m, n], full_matrices: bool = true) {
  assert(
    is_known(m - n),
    "svd: whether " +
      m +
      " rows are fewer than " +
      n +
      " columns must be known when compiling, as the shapes of the results follow from it",
  )
  if m < n {
    let (u, s, vh) = _svd(matrix_transpose(A), full_matrices)
    (matrix_transpose(vh), s, matrix_transpose(u))
  } else {
    _svd(A, full_matrices)
  }
}

## The singular value decomposition with U of the shape of `A`, also where only running tells which of its sizes is larger: rows of zeros make the matrix tall, and
## where it is wide the columns that U has too many belong to the singular value 0.
fn thin_svd[T: f32 | f64, m, n](A: T[*S, m, n]) {
  if is_known(m - n) {
    svd(A, false)
  } else {
    let (u, s, vh) = _svd(cat([A, zeros(S + [n, n], A.dtype)], -2), false)
    (u[..., :m, :], s, vh)
  }
}

## The singular values, descending.
fn svdvals[T: f32 | f64, m, n](A: T[*S, m, n]) -> tensor = thin_svd(A)[1][..., :smaller_of(m, n)]

## The symmetric matrix whose lower triangle (`UPLO` "L") or upper one ("U") is that of `A`.
fn _symmetric[T: f32 | f64](A: T[*S, n, n], UPLO: string) {
  assert(UPLO == "L" || UPLO == "U", "UPLO is \"L\" or \"U\", not \"" + UPLO + "\"")
  if UPLO == "L" {
    tril(A) + matrix_transpose(tril(A, -1))
  } else {
    triu(A) + matrix_transpose(triu(A, 1))
  }
}

## The eigenvalues of symmetric matrices, ascending, and orthonormal eigenvectors as columns, which are unique up to signs where the eigenvalues differ. By one-sided rotations of
## a positive definite matrix with the same eigenvectors. The triangle `UPLO` is read.
fn eigh[T: f32 | f64](A: T[*S, n, n], UPLO: string = "L") -> (T[*S, n], T[*S, n, n]) {
  let symmetric = _symmetric(A, UPLO)
  # The size of an eigenvalue is not larger than the fourth root of that of the fourth power, measured as a vector, and not much smaller.
  let (scaled, _) = _scaled(symmetric)
  let square = scaled @ scaled
  let bound = sqrt(norm(square @ square, 2, [-2, -1], true))
  let unit = scaled / where(bound > 0, sqrt(bound), 1)
  # The eigenvalues of the shifted matrix lie in [0.5, 2.5]: its rows end as its eigenvectors, each times its eigenvalue.
  let (rows, _) = _orthogonal_rows(unit + 1.5 * eye(n, dtype: A.dtype), zeros(S + [n, 0], A.dtype))
  let vectors = rows / sqrt(sum(rows * rows, -1, keepdim: true))
  let values = sum(vectors * (vectors @ symmetric), -1)
  let order = argsort(values, -1)
  (gather(values, -1, order), matrix_transpose(rows_in_order(vectors, order)))
}
  derivative (dA) => {
    let (values, vectors) = result
    let turned = matrix_transpose(vectors) @ ((dA + matrix_transpose(dA)) / 2) @ vectors
    let gaps = _reciprocal(unsqueeze(values, -2) - unsqueeze(values, -1))
    (diagonal_of(turned, 0), vectors @ (gaps * turned))
  }

## The eigenvalues of symmetric matrices, ascending; the triangle `UPLO` is read.
fn eigvalsh[T: f32 | f64](A: T[*S, n, n], UPLO: string = "L") -> T[*S, n] = eigh(A, UPLO)[0]
