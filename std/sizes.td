tdsl 1
# Arithmetic on axes and sizes, and checks, that the library shares.

## The position of an axis from 0; negative ones count from the end.
fn axis_of(dim: int, rank: int) -> int {
  let n = if rank == 0 { 1 } else { rank }
  assert(dim >= -n && dim < n, "axis " + dim + " is outside [" + -n + ", " + (n - 1) + "]")
  if dim < 0 { dim + n } else { dim }
}

## The product of sizes; 1 of none.
fn product_of(sizes: [dim]) -> dim {
  let product = 1
  for n in sizes { product = product * n }
  product
}

## The smaller of two sizes, which may be known only when running: what a slice leaves of `a` elements after the first `b` tells how many are too many.
fn smaller_of(a: dim, b: dim) -> dim = a - size(arange(end: a)[b:], 0)

## The sum of sizes; 0 of none.
fn sum_of(sizes: [dim]) -> dim {
  let total = 0
  for n in sizes { total = total + n }
  total
}

## Whether a list has an element.
fn contains(items: [int], wanted: int) -> bool {
  let found = false
  for item in items { found = found || item == wanted }
  found
}

## A number for each of `n` axes: the list as it is, or one number for all.
fn for_each_axis(value: int | [int], n: int, name: string) -> [int] {
  if is_list(value) {
    assert(
      len(value) == n || len(value) == 1,
      name + " is one number or a list of " + n + ", not of " + len(value),
    )
    if len(value) == n { value } else { [value[0] for i in 0..n] }
  } else {
    [value for i in 0..n]
  }
}

## Refuses a word that is not one of those allowed; `rule` says which they are.
fn check_word(word: string, allowed: [string], rule: string) {
  let found = false
  for item in allowed { found = found || item == word }
  assert(found, rule + ", not \"" + word + "\"")
}

## Refuses sizes that are not those wanted. Sizes that only running decides are compared when the entry is called, with the same message.
fn check_sizes(found: [dim], wanted: [dim], message: string) {
  assert(len(found) == len(wanted), message)
  for i in 0..len(found) { assert(found[i] == wanted[i], message) }
}

## Refuses a number below `least`.
fn check_least(value: int | float, least: int | float, what: string) {
  assert(value >= least, what + " is at least " + least + ", not " + value)
}

## Whether a tensor is known to have no elements.
fn is_empty(input: tensor) -> bool = is_known(numel(input)) && numel(input) == 0

## How many elements meet in one element of a reduction over `dim`: none or [] for all.
fn reduced_size(input: tensor, dim: (int | [int])? = none) -> dim {
  if dim == none {
    numel(input)
  } else if is_list(dim) {
    if len(dim) == 0 { numel(input) } else { product_of([size(input, d) for d in dim]) }
  } else {
    size(input, dim)
  }
}

## The channels of one group of a convolution.
fn channels_of_group(channels: int, others: int, groups: int) -> int {
  assert(groups > 0, "groups is at least 1")
  assert(
    channels % groups == 0,
    "groups = " + groups + " does not divide the " + channels + " channels",
  )
  assert(
    others % groups == 0,
    "groups = " + groups + " does not divide the " + others + " channels on the other side",
  )
  channels // groups
}

## A probability, checked.
fn checked_probability(p: float) -> float {
  assert(p >= 0.0 && p <= 1.0, "the probability " + p + " is outside [0, 1]")
  p
}
