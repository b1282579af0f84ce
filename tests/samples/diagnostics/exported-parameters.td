tdsl 1
# Parameters of exported functions that calls cannot give, or whose types cannot be known.
import std.optim { SGD }

model Net {
  param w: f32[3] = zeros
}

export fn early(opt: mut SGD(net, lr: 0.1), net: mut Net, x: f32[3]) -> f32 = sum(x * net.w)

export fn flag(b: bool, x: f32[3]) -> f32[3] = if b { x } else { -x }

export fn count(k: int, x: f32[3]) -> f32[3] = x * k

export fn rated(rate: float, x: f32[3]) -> f32[3] = x * rate

export fn negative(x: f32[2, -3]) -> f32 = sum(x)
