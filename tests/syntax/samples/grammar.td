tdsl 1
# Every form of the language, with comments in all places where people put them.
import std.nn { Linear, Conv2d as Conv }  # layers
import "./layers.td" { Block }
import "npm-package/file.td" {
  a, b,
  # the last
  c as d,
}

dim B, T
let SIZE: int = 0x1f + 1_000
let NAMES = ["a\n", "\u{1F600}", "\"q\""]


## Documentation
## of two lines.
model Net[M: model, n, *S, D: float, E: f32 | f64](
  ## The width.
  width: int = 3,   # in units
  bias: bool = true, inner: M,
) {
  ## A child.
  fc: Linear(width, width)
  blocks: [Block(i, depth: 2) for i in 0..3 if i % 2 == 0]
  pair: [Linear(1, 2), Linear(2, 3)]
  head: tied(fc.weight)
  param: Linear(1, 1)
  model: Linear(1, 1)

  param weight: D[n, width] = normal(std: 0.01)
  buffer mean: f32[width] = zeros
  state step: i64
  let scale = 1 / sqrt(width)
  if bias { param b: f32[width] = zeros } else if width > 3 {
    buffer b: f32[width]
  } else { let b = 0; let c = 1 }
  fn forward(x: f32[*S, n], mode: string = "train") -> (f32[*S], { mean: f32, var: f32[_, n] }) {
    let {mean, var: (v, _)} = stats(x); let (p, q) = split(x)
    no_grad { mean = 0.9 * mean; step += 1 }
    # nothing more
    (p, { mean: mean, var: v })
  }
}

model Empty {}
model OneLine { fn forward(x: f32) -> f32 = x }

fn types(
  a: int | [int], b: string?, c: (int | float)?, d: fn(f64[n], mut M) -> f64, e: [Net], f: (f32,), g: (),
  h: like(net), i: mut SGD(net, lr: 0.1), j: (fn(f32) -> f32) | none_type, k: tensor, l: dim, m: key, n: dtype,
  o: f32[B, C, (H + 2 * p - k) // s + 1], p: T[*_], rest...: tensor,
) = none

fn operators(x: f32) -> f32 =
  -x ** 2 + 2 ** -x ** 3 - (a - b) - c * (d / e) // f % g @ h
fn logic(a: bool) -> bool = !a && b || c == d && (e < f) == (g >= h) || 0..n != m
fn long_chain(first_operand: f32, second_operand: f32) -> f32 = first_operand * second_operand + second_operand * first_operand -
  first_operand # why
fn indexing(x: tensor) = x[0, :, 1:3, ::2, ..., -1, none, a:, :b, i][t[0]].T + x.max(from)[k + 1] else -inf * 2
fn matmul(x: f32[n, k], w: f32[k, m]) -> f32[n, m] {
  out[i, j in 0..m] = sum over k: x[i, k] * w[k, j]
}
fn pooling(x: f32[n]) { out[i in 0..n // 2] = max over u in 0..2, v: x[2 * i + u] else -inf where u + v < 2 && u > 0 }
fn lambdas() = apply(x => x + 1, (x, (y, z)) => x, (a: f32) => { a }, (r) => { a: r }, () => ({}), key: (x) => {
  let y = x
  y
})
fn loops(xs: f32[n]) -> f32 {
  for (i, x) in list { total += x }
  for i in 0..3 {
    fc.weight -= i
  }
  let f = fold xs from 0 { (carry, x) => carry + x }
  let s = scan (xs, ys) from { h: 0, c: 1 } { (h, (x, y)) =>
    let z = h

    # blank line above
    (z, y)
  }
  let w = while norm(b) < 1000 max 64 from b = 2 * a { 2 * b }
  let u = while a from (a, b) = (1, 2) { (a, b) }
  let tree = map (path, p) over (net, grads) { p * 2 }
  let m = if a { b } else if c { d } else { e }
  assert(n > 0, "positive")
  if a { b }
  checkpoint(f)(x)
}
fn contextual(from: f32, max: f32, over: f32, where: f32, map: f32, fold: f32, scan: f32, param: f32, state: f32) {
  let derivative = max(from, dim: 1, from: 2, if: 3) + fold(x, output_size: 2) + map(x) + scan
  let model = sum(over) + where(a, b, c).where + like(x) + dim + key + as + tdsl
  fold(x).from
}
fn custom(x: f32, y: f32) = log(x)
  derivative (dx, dy) => dx / x + dy
fn custom_block(x: f32) {
  x
} derivative dx => { let y = dx; y }
fn pipes(x: f32) = x |> conv1 |> (h => h + 1) |> max_pool2d(2, stride: 2) |> conv2 |> relu |> flatten(start_dim: 1)
fn commented(x: f32) -> f32 =
  # the value
  f(
    x, # first
    # second
    g(x),
  ) +  # sum
    x
fn piped(x: f32) -> f32 {
  let y = x  # start
    |> relu   # middle
    # before the end
    |> tanh  # end
  y
  # last
}
fn tuples() = ((), (a,), (a, b), [], [[1, 2], [3]], {}, true, false, none, inf, -nan, 1.5e-3, 2E5)
fn nested_long(some_argument: f32) = outer_function(inner_function(some_argument, 1234567890), [1, 2, 3], name: { a: 1, b: 2 }, last: some_argument)
fn list_arg() = tensor([1.0000001, 2.0000001, 3.0000001, 4.0000001, 5.0000001, 6.0000001, 7.0000001, 8.0000001, 9.0])
# the end
