tdsl 1
# Himmelblau's function (1972) has four minima of 0. Which one Adam finds depends on where it starts.
import std.optim { Adam }

fn himmelblau(at: f64[2]) -> f64 = (at[0] ** 2 + at[1] - 11) ** 2 + (at[0] + at[1] ** 2 - 7) ** 2

model Point { param at: f64[2] = zeros }

## Goes 500 steps from where the point is, and returns the places on the way with the values there.
export fn descend(point: mut Point, opt: mut Adam(point, lr: 0.05)) -> (f64[500, 2], f64[500]) {
  let (trace, _) = scan 0..500 from () { (_, _) =>
    let (value, g) = value_and_grad(p => himmelblau(p.at))(point)
    let here = point.at
    opt.step(point, g)
    ((), (here, value))
  }
  trace
}
