tdsl 1
# Activations as layers, which `std.nn` gives as well.

## A number that PyTorch's layers hold as an int where it is whole.
fn _whole(x: float) -> string = if x == floor_int(x) { repr(floor_int(x)) } else { repr(x) }

## `max(x, 0)`.
model ReLU { fn forward(x: tensor) -> tensor = relu(x) }

## Clamped to 0 ... 6.
model ReLU6 { fn forward(x: tensor) -> tensor = relu6(x) }

## `x` where positive, else `negative_slope * x`.
model LeakyReLU(negative_slope: float = 0.01) {
  fn forward(x: tensor) -> tensor = leaky_relu(x, negative_slope)

  fn extra_repr() -> string = "negative_slope=" + repr(negative_slope)
}

## `x` where positive, else `alpha * (exp(x) - 1)`.
model ELU(alpha: float = 1.0) {
  fn forward(x: tensor) -> tensor = elu(x, alpha)

  fn extra_repr() -> string = "alpha=" + repr(alpha)
}

## Self-normalising ELU.
model SELU { fn forward(x: tensor) -> tensor = selu(x) }

## `x` where positive, else `alpha * (exp(x / alpha) - 1)`.
model CELU(alpha: float = 1.0) {
  fn forward(x: tensor) -> tensor = celu(x, alpha)

  fn extra_repr() -> string = "alpha=" + repr(alpha)
}

## `x * Φ(x)`.
model GELU(approximate: string = "none") {
  fn forward(x: tensor) -> tensor = gelu(x, approximate)

  fn extra_repr() -> string = "approximate=" + repr(approximate)
}

## `x * sigmoid(x)`.
model SiLU { fn forward(x: tensor) -> tensor = silu(x) }

## `x * tanh(softplus(x))`.
model Mish { fn forward(x: tensor) -> tensor = mish(x) }

## `1 / (1 + exp(-x))`.
model Sigmoid { fn forward(x: tensor) -> tensor = sigmoid(x) }

## `log(sigmoid(x))`.
model LogSigmoid { fn forward(x: tensor) -> tensor = logsigmoid(x) }

## The hyperbolic tangent.
model Tanh { fn forward(x: tensor) -> tensor = tanh(x) }

## `log(1 + exp(beta * x)) / beta`.
model Softplus(beta: float = 1.0, threshold: float = 20.0) {
  fn forward(x: tensor) -> tensor = softplus(x, beta, threshold)

  fn extra_repr() -> string = "beta=" + _whole(beta) + ", threshold=" + _whole(threshold)
}

## `x / (1 + |x|)`.
model Softsign { fn forward(x: tensor) -> tensor = softsign(x) }

## Clamped to `min_val ... max_val`.
model Hardtanh(min_val: float = -1.0, max_val: float = 1.0) {
  fn forward(x: tensor) -> tensor = hardtanh(x, min_val, max_val)

  fn extra_repr() -> string = "min_val=" + repr(min_val) + ", max_val=" + repr(max_val)
}

## `min(max(x + 3, 0), 6) / 6`.
model Hardsigmoid { fn forward(x: tensor) -> tensor = hardsigmoid(x) }

## `x * hardsigmoid(x)`.
model Hardswish { fn forward(x: tensor) -> tensor = hardswish(x) }

## `exp(x) / sum(exp(x))` along `dim`.
model Softmax(dim: int) {
  fn forward(x: tensor) -> tensor = softmax(x, dim)

  fn extra_repr() -> string = "dim=" + repr(dim)
}

## `log(softmax(x))` along `dim`.
model LogSoftmax(dim: int) {
  fn forward(x: tensor) -> tensor = log_softmax(x, dim)

  fn extra_repr() -> string = "dim=" + repr(dim)
}

## The first half along `dim` times the sigmoid of the second half.
model GLU(dim: int = -1) {
  fn forward(x: tensor) -> tensor = glu(x, dim)

  fn extra_repr() -> string = "dim=" + repr(dim)
}

## `x` where positive, else `weight * x` with a learned slope, one for all or one for each channel (He et al. 2015).
model PReLU(num_parameters: int = 1, init: float = 0.25) {
  param weight: real[num_parameters] = constant(value: init)
  fn forward(x: tensor) -> tensor = prelu(x, weight)

  fn extra_repr() -> string = "num_parameters=" + repr(num_parameters)
}
