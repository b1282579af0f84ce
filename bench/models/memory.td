tdsl 1
# Work that is bound by memory.

dim m, n

export fn chain(x: f32[n]) -> f32[n] = tanh(2 * x + 1) * x - 0.5

export fn rows(x: f32[m, n]) -> f32[m, n] = softmax(x, 1)
