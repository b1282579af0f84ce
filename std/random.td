tdsl 1
# Random draws from Philox bits. Each draw reads the key of the session, folded with its own number, or the `key` that it is given: the
# same key gives the same values whatever the backend and the number of threads.

# A key for one of several draws that a function makes from its key; none is the key of the session, from which each draw differs.
fn _part(key: key?, number: int) = if key == none { none } else { fold_in(key, number) }

## Uniform on [0, 1): multiples of 2^-53 for f64, of 2^-24 for f32, of 2^-11 for f16 and of 2^-8 for bf16, all of which the type holds.
fn rand(size: [dim], dtype: dtype = real, key: key? = none) -> tensor {
  _check_float("rand", dtype)
  if dtype == f16 {
    cast(bitwise_and(random_bits(size, key), 2047), dtype) * 0.00048828125
  } else if dtype == bf16 {
    cast(bitwise_and(random_bits(size, key), 255), dtype) * 0.00390625
  } else if dtype == f64 {
    let high = cast(bitwise_and(random_bits(size, _part(key, 1)), 67108863), f64)
    let low = cast(bitwise_and(random_bits(size, _part(key, 2)), 134217727), f64)
    (high * 134217728.0 + low) * 1.1102230246251565e-16
  } else {
    cast(bitwise_and(random_bits(size, key), 16777215), f32) * 5.9604644775390625e-8
  }
}

fn _check_float(name: string, dtype: dtype) =
  assert(
    is_floating_point(dtype),
    name + " draws floats, not " + dtype + "; randint draws integers",
  )

## Standard normal, by the transform of Box and Muller (1958).
fn randn(size: [dim], dtype: dtype = real, key: key? = none) -> tensor {
  _check_float("randn", dtype)
  let wide = if dtype == f64 { f64 } else { f32 }
  let radius = sqrt(-2 * log(1 - rand(size, wide, _part(key, 3))))
  cast(radius * cos(6.283185307179586 * rand(size, wide, _part(key, 4))), dtype)
}

## Standard normal in the shape of `input`.
fn randn_like(input: tensor, dtype: dtype? = none, key: key? = none) -> tensor =
  randn(input.shape, if dtype == none { input.dtype } else { dtype }, key)

## Integers from `low` up to `high`, which is excluded.
fn randint(low: int = 0, high: int, size: [dim], dtype: dtype = i64, key: key? = none) -> tensor {
  assert(high > low, "randint: high is greater than low, not " + high + " with low " + low)
  cast(low + cast(floor(rand(size, f64, key) * (high - low)), i64), dtype)
}

## 1 with the probabilities that `input` holds, else 0.
fn bernoulli[T: float](input: T[*S], key: key? = none) -> T[*S] {
  assert_known(input >= 0 && input <= 1, "bernoulli takes probabilities between 0 and 1", of: input)
  cast(rand(input.shape, input.dtype, key) < input, input.dtype)
}

## Uniform on [a, b); also an initialiser.
fn uniform(
  size: [dim],
  a: float = 0.0,
  b: float = 1.0,
  dtype: dtype = real,
  key: key? = none,
) -> tensor {
  assert(a <= b, "uniform: a is not greater than b, but " + a + " is greater than " + b)
  a + (b - a) * rand(size, dtype, key)
}

## Normal; also an initialiser.
fn normal(
  mean: float = 0.0,
  std: float = 1.0,
  size: [dim],
  dtype: dtype = real,
  key: key? = none,
) -> tensor {
  check_least(std, 0, "normal: the standard deviation")
  mean + std * randn(size, dtype, key)
}

## The numbers 0 ... n - 1 in random order.
fn randperm(n: dim, key: key? = none) -> tensor = argsort(rand([n], f64, key))

## Indices drawn with probabilities proportional to the weights along the last axis; without replacement each at most once, in the order in
## which they are drawn (the exponential races of Efraimidis and Spirakis 2006).
fn multinomial[T: float, n](
  input: T[*S, n],
  num_samples: int,
  replacement: bool = false,
  key: key? = none,
) -> i64[*S, num_samples] {
  assert(
    len(S) <= 1,
    "multinomial takes a vector of weights or a matrix of them, not a tensor of rank " +
      ndim(input),
  )
  check_least(num_samples, 1, "multinomial: num_samples")
  assert_known(input >= 0, "multinomial: a weight is negative", of: input)
  assert_known(sum(input, -1) > 0, "multinomial: all weights are 0")
  if replacement {
    let sums = cumsum(cast(input, f64), -1)
    let place = rand(S + [num_samples], f64, key) * sums[..., -1:]
    # The first index whose running sum exceeds the place; weights of 0 are never the first.
    sum(unsqueeze(sums, -2) <= unsqueeze(place, -1), -1)
  } else {
    assert(
      num_samples <= n,
      "multinomial without replacement draws at most " + n + " samples, not " + num_samples,
    )
    assert_known(
      sum(cast(input > 0, i64), -1) >= num_samples,
      "multinomial without replacement: fewer than " + num_samples + " weights are above 0",
    )
    let arrival = -log(1 - rand(S + [n], f64, key)) / cast(input, f64)
    narrow(argsort(where(input > 0, arrival, inf), -1), -1, 0, num_samples)
  }
}
