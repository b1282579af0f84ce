tdsl 1
# Products of matrices and vectors. `matmul` (also `@`) and `einsum` are built in.

## `beta * input + alpha * product`; with beta 0 the input is ignored, NaN included.
fn _blend(input: tensor, product: tensor, beta: int | float, alpha: int | float) -> tensor {
  let scaled = if alpha == 1 { product } else { alpha * product }
  if beta == 0 { scaled } else if beta == 1 { input + scaled } else { beta * input + scaled }
}

## Matrix product.
fn mm[T: number](input: T[n, k], mat2: T[k, m]) -> T[n, m] = input @ mat2

## Matrix times vector.
fn mv[T: number](input: T[n, k], vec: T[k]) -> T[n] = input @ vec

## Matrix products of two batches.
fn bmm[T: number](input: T[B, n, k], mat2: T[B, k, m]) -> T[B, n, m] = input @ mat2

## The sum of the products of two vectors.
fn dot[T: number](input: T[n], tensor: T[n]) -> T = input @ tensor

## All products of an element of one vector and one of another.
fn outer(input: tensor, vec2: tensor) -> tensor {
  assert(
    ndim(input) == 1 && ndim(vec2) == 1,
    "outer takes two vectors, not tensors of ranks " + ndim(input) + " and " + ndim(vec2),
  )
  unsqueeze(input, 1) * vec2
}

## `beta * input + alpha * (mat1 @ mat2)`.
fn addmm[T: number](
  input: tensor,
  mat1: T[n, k],
  mat2: T[k, m],
  beta: int | float = 1,
  alpha: int | float = 1,
) -> T[n, m] = _blend(input, mat1 @ mat2, beta, alpha)

## `beta * input + alpha * (mat @ vec)`.
fn addmv[T: number](
  input: tensor,
  mat: T[n, k],
  vec: T[k],
  beta: int | float = 1,
  alpha: int | float = 1,
) -> T[n] = _blend(input, mat @ vec, beta, alpha)

## `beta * input + alpha * outer(vec1, vec2)`.
fn addr[T: number](
  input: tensor,
  vec1: T[n],
  vec2: T[m],
  beta: int | float = 1,
  alpha: int | float = 1,
) -> T[n, m] = _blend(input, outer(vec1, vec2), beta, alpha)

## `beta * input + alpha * (batch1 @ batch2)`, for each of a batch.
fn baddbmm[T: number](
  input: tensor,
  batch1: T[B, n, k],
  batch2: T[B, k, m],
  beta: int | float = 1,
  alpha: int | float = 1,
) -> T[B, n, m] = _blend(input, batch1 @ batch2, beta, alpha)

## `beta * input + alpha * sum(batch1 @ batch2)`, summed over the batch.
fn addbmm[T: number](
  input: tensor,
  batch1: T[B, n, k],
  batch2: T[B, k, m],
  beta: int | float = 1,
  alpha: int | float = 1,
) -> T[n, m] {
  let product = einsum("bij,bjk->ik", batch1, batch2)
  _blend(input, product, beta, alpha)
}

## The vector product along an axis of size 3.
fn cross(input: tensor, other: tensor, dim: int = -1) -> tensor {
  assert(
    size(input, dim) == 3 && size(other, dim) == 3,
    "cross needs an axis of size 3, not of " + size(input, dim) + " and " + size(other, dim),
  )
  roll(input, -1, dim) * roll(other, -2, dim) - roll(input, -2, dim) * roll(other, -1, dim)
}

## Kronecker's product: each element of `input` times the whole of `other`.
fn kron(input: tensor, other: tensor) -> tensor {
  let rank = if ndim(input) > ndim(other) { ndim(input) } else { ndim(other) }
  let a = [1 for i in ndim(input)..rank] + input.shape
  let b = [1 for i in ndim(other)..rank] + other.shape
  let left = reshape(input, [if i % 2 == 0 { a[i // 2] } else { 1 } for i in 0..2 * rank])
  let right = reshape(other, [if i % 2 == 0 { 1 } else { b[i // 2] } for i in 0..2 * rank])
  reshape(left * right, [a[i] * b[i] for i in 0..rank])
}

## The sum over pairs of axes: the last `dims` of `a` with the first of `b`, or the axes in two lists.
fn tensordot[T: number](a: T[*S], b: T[*U], dims: int | [[int]] = 2) -> tensor {
  let (rank_a, rank_b) = (ndim(a), ndim(b))
  if is_int(dims) {
    assert(
      dims >= 0 && dims <= rank_a && dims <= rank_b,
      "tensordot: " + dims + " axes are summed, but the ranks are " + rank_a + " and " + rank_b,
    )
  }
  let of_a = if is_list(dims) {
    [axis_of(d, rank_a) for d in dims[0]]
  } else {
    [i for i in rank_a - dims..rank_a]
  }
  let of_b = if is_list(dims) {
    [axis_of(d, rank_b) for d in dims[1]]
  } else {
    [i for i in 0..dims]
  }
  assert(
    len(of_a) == len(of_b),
    "tensordot needs as many axes of a as of b, not " + len(of_a) + " and " + len(of_b),
  )
  let kept_a = [i for i in 0..rank_a if !contains(of_a, i)]
  let kept_b = [i for i in 0..rank_b if !contains(of_b, i)]
  let (sizes_a, sizes_b) = ([S[i] for i in kept_a], [U[i] for i in kept_b])
  for i in 0..len(of_a) {
    assert(
      S[of_a[i]] == U[of_b[i]],
      "tensordot: axis " +
        of_a[i] +
        " of a has size " +
        S[of_a[i]] +
        ", axis " +
        of_b[i] +
        " of b " +
        U[of_b[i]],
    )
  }
  let left = reshape(
    permute(a, kept_a + of_a),
    [product_of(sizes_a), product_of([S[i] for i in of_a])],
  )
  let right = reshape(
    permute(b, of_b + kept_b),
    [product_of([U[i] for i in of_b]), product_of(sizes_b)],
  )
  reshape(left @ right, sizes_a + sizes_b)
}
