tdsl 1
# What comes from C, JavaScript and notebooks, one mistake a function.
import "./hidden_function.td" { helper }
import "hidden-function" { helper2 }
import "./tests/samples/diagnostics/more_habits.td" { helper3 }

model Deep {
  depth: int = 3
  param w: f32[3] = zeros
  fn forward(x: f32[3]) -> f32[3] = x * w
}

model Wide {
  width: int
  param w: f32[3] = zeros
  fn forward(x: f32[3]) -> f32[3] = x * w
}

fn positive(x: f32) -> f32 = x > 0 ? x : 0

fn grown(x: f32) -> f32 {
  let y = x
  while y < 3 {
    y = y + 1
  }
  y
}

fn partial(x: f32[4]) -> f32 {
  let y = 0.0
  for i in 0..4 {
    if i > 2 { break }
    y = y + x[i]
  }
  y
}

fn scaled(α: f32, x: f32[3]) -> f32[3] {
  let loss_β = α * 2
  α * x * loss_β
}

fn pair(g) -> f32 {
  let (a, b) = g
  a
}

fn first(x: f32[3]) -> f32 = pair({})

fn helped(x: f32[3]) -> f32[3] = helper(helper2(helper3(x)))
