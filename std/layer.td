tdsl 1
# What layers compute, as functions of their parameters.

## `input @ weight.T + bias` over the last axis.
fn linear[T: float](input: T[*S, i], weight: T[o, i], bias: T[o]? = none) -> T[*S, o] {
  let product = input @ weight.T
  if bias == none { product } else { product + bias }
}

## `input1 @ weight[o] @ input2 + bias[o]` for each output o, over the last axes.
fn bilinear[T: float](
  input1: T[*S, i],
  input2: T[*S, j],
  weight: T[o, i, j],
  bias: T[o]? = none,
) -> T[*S, o] {
  let (left, right) = (reshape(input1, [-1, i]), reshape(input2, [-1, j]))
  half[n, p, q] = sum over k: left[n, k] * weight[p, k, q]
  total[n, p] = sum over q: half[n, p, q] * right[n, q]
  let product = reshape(total, S + [o])
  if bias == none { product } else { product + bias }
}

## In training sets elements to zero with probability `p` and divides the others by `1 - p`, else the identity (Srivastava et al. 2014).
fn dropout[T: float](
  input: T[*S],
  p: float = 0.5,
  training: bool = true,
  key: key? = none,
) -> T[*S] = _drop(input, S, p, training, key)

## Dropout of whole channels of [N, C, H, W] or [C, H, W] (Tompson et al. 2015).
fn dropout2d[T: float](
  input: T[*S, C, H, W],
  p: float = 0.5,
  training: bool = true,
  key: key? = none,
) -> T[*S, C, H, W] = _drop(input, S + [C, 1, 1], p, training, key)

## Dropout of whole channels of [N, C, L] or [C, L].
fn dropout1d[T: float](
  input: T[*S, C, L],
  p: float = 0.5,
  training: bool = true,
  key: key? = none,
) -> T[*S, C, L] = _drop(input, S + [C, 1], p, training, key)

## Dropout of whole channels of [N, C, D, H, W] or [C, D, H, W].
fn dropout3d[T: float](
  input: T[*S, C, D, H, W],
  p: float = 0.5,
  training: bool = true,
  key: key? = none,
) -> T[*S, C, D, H, W] = _drop(input, S + [C, 1, 1, 1], p, training, key)

## Dropout that keeps mean and variance of what `selu` gives: dropped elements take its lower limit (Klambauer et al. 2017).
fn alpha_dropout[T: float](
  input: T[*S],
  p: float = 0.5,
  training: bool = true,
  key: key? = none,
) -> T[*S] {
  let rate = checked_probability(p)
  if !training || rate == 0.0 {
    input
  } else if rate == 1.0 {
    input * 0
  } else {
    let limit = 1.7580993408473766
    let scale = ((limit * limit * rate + 1.0) * (1.0 - rate)) ** -0.5
    scale * where(rand(S, key: key) < 1.0 - rate, input, -limit) + limit * scale * rate
  }
}

## Dropout with one draw for each element of `size`, which broadcasts to the input.
fn _drop(input: tensor, size: [dim], p: float, training: bool, key: key?) -> tensor {
  assert(p >= 0.0 && p <= 1.0, "the probability p = " + p + " of dropout is outside [0, 1]")
  if !training || p == 0.0 {
    input
  } else if p == 1.0 {
    input * 0
  } else {
    where(rand(size, key: key) < 1.0 - p, input / (1.0 - p), 0)
  }
}

## The rows of `weight` at the indices in `input`. The row `padding_idx` gets no gradient.
fn embedding[T: float, I: int, n](
  input: I[*S],
  weight: T[n, d],
  padding_idx: int? = none,
) -> T[*S, d] {
  assert_known(
    input >= 0,
    "embedding: an index is negative; the rows are 0 to " + (n - 1),
    of: input,
  )
  let rows = weight[input]
  if padding_idx == none {
    rows
  } else {
    assert(
      padding_idx >= -n && padding_idx < n,
      "the padding_idx " + padding_idx + " is not one of the " + n + " rows of weight",
    )
    let index = if padding_idx < 0 { padding_idx + n } else { padding_idx }
    where(unsqueeze(input == index, -1), stop_gradient(rows), rows)
  }
}

## The `"sum"`, `"mean"` or `"max"` of the rows in each bag. Bags are the rows of a matrix of indices, or stretches of a vector that begin
## at `offsets`; an empty bag gives zeros.
fn embedding_bag[T: float, I: int, J: int](
  input: I[*S],
  weight: T[_, _],
  offsets: J[_]? = none,
  mode: string = "mean",
) -> tensor {
  check_word(mode, ["sum", "mean", "max"], "embedding_bag: mode is \"sum\", \"mean\" or \"max\"")
  let rows = weight[input]
  if offsets == none {
    assert(ndim(input) == 2, "embedding_bag needs offsets for a vector of indices")
    if mode == "sum" {
      sum(rows, 1)
    } else if mode == "mean" {
      mean(rows, 1)
    } else {
      max(rows, 1)[0]
    }
  } else {
    assert(
      ndim(input) == 1,
      "embedding_bag: offsets are for a vector of indices, not for rank " + ndim(input),
    )
    assert_known(offsets[:1] == 0, "embedding_bag: the first of the offsets is 0", of: offsets)
    let bags = size(offsets, 0)
    let bag = sum(unsqueeze(offsets, 1) <= arange(end: size(input, 0)), 0) - 1
    let member = unsqueeze(arange(end: bags), 1) == bag
    if mode == "max" {
      let largest = max(where(unsqueeze(member, 2), rows, -inf), 1)[0]
      where(unsqueeze(any(member, 1), 1), largest, 0)
    } else {
      let total = cast(member, weight.dtype) @ rows
      if mode == "sum" { total } else { total / unsqueeze(maximum(sum(member, 1), 1), 1) }
    }
  }
}
