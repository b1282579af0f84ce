tdsl 1

## A block after `=`.
export fn f(x: f32[3]) -> f32 = {
  let y = 2 * x
  sum(y)
}

export fn g(x: f32[3]) -> f32 = { sum(x) }

## A block as an argument.
export fn h(x: f32[3]) -> f32 = sum({ let y = 2 * x; y })
