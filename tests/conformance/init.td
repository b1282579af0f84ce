tdsl 1
# Transcriptions of the reference cases about initialisers that are more than one expression.
import std.nn { Conv2d, Linear }

fn init_constant_zero() -> (f32[2, 3], f32[2]) = (constant([2, 3], 42), zeros([2]))

fn init_same_init_same_grad(x: f32[2, 2]) -> (f32[3, 2], f32[1, 3]) {
  let loss = (w1, w2) => sum(linear(tanh(linear(x, w1)), w2))
  grad(loss, wrt: [0, 1])(full([3, 2], 0.5), full([1, 3], 0.5))
}

fn init_linear_default_bias(net: Linear(16, 256)) -> f32[256] = net.bias

fn init_conv_default_weight(net: Conv2d(4, 32, 4)) -> f32[32, 4, 4, 4] = net.weight
