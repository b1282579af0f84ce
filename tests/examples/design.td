tdsl 1
# The programs that the language was designed by, as they were written down, and entries that run them.
import std.nn { Conv2d, Linear }
import std.optim { Adam }

dim B

# A convolutional net.
model LeNet {
  conv1: Conv2d(1, 6, kernel_size: 5, padding: 2)
  conv2: Conv2d(6, 16, kernel_size: 5)
  fc: [Linear(400, 120), Linear(120, 84), Linear(84, 10)]
  fn forward(x: f32[B, 1, 28, 28]) -> f32[B, 10] {
    let h = x
      |> conv1
      |> relu
      |> max_pool2d(2)
      |> conv2
      |> relu
      |> max_pool2d(2)
      |> flatten(start_dim: 1)
    h |> fc[0] |> relu |> fc[1] |> relu |> fc[2]
  }
}

# A layer of one's own, and one without parameters.
model MyLinear(inputs: int, units: int) {
  param weight: f32[inputs, units] = normal(std: 0.01)
  param bias: f32[units] = zeros
  fn forward(x: f32[*S, inputs]) -> f32[*S, units] = relu(x @ weight + bias)
}
model Centered { fn forward(x: f32[*S]) -> f32[*S] = x - mean(x) }

# How an optimizer is written.
model SGD[M: model](net: M, lr: float = 0.01, momentum: float = 0.0) {
  state lr: f32 = lr
  state m: like(net) = zeros
  fn step(net: mut M, g: like(net)) {
    map (path, p, d, m) over (net, g, m) { m = momentum * m + d; p = p - lr * m }
  }
}

# An operation the library lacks: shape, gradient, fusion, CPU and GPU kernels come with it.
fn depthwise[N, C, H, W, K](
  x: f32[N, C, H, W],
  k: f32[C, K, K],
) -> f32[N, C, H - K + 1, W - K + 1] {
  out[n, c, i, j] = sum over u, v: x[n, c, i + u, j + v] * k[c, u, v]
}

# Recurrence: a scan carries a state along a run-time dimension.
model Elman(inputs: int, hidden: int) {
  from_input: Linear(inputs, hidden)
  from_state: Linear(hidden, hidden, bias: false)
  fn forward[T](xs: f32[T, B, inputs], h0: f32[B, hidden]) -> (f32[T, B, hidden], f32[B, hidden]) =
    scan xs from h0 { (h, x) => let h = tanh(from_input(x) + from_state(h)); (h, h) }
}

# A loop that ends on data, differentiated in reverse because it has a bound.
fn doubling(a: f32[n]) -> f32[n] {
  let b = while norm(b) < 1000 max 64 from b = 2 * a { 2 * b }
  if sum(b) > 0 { b } else { 100 * b }
}

# Derivatives inside a function that may itself be differentiated.
fn newton[n](f: fn(f64[n]) -> f64, x0: f64[n], steps: dim) -> f64[n] =
  fold 0..steps from x0 { (x, _) => x - solve(hessian(f)(x), grad(f)(x)) }

# A derivative of one's own, for stability.
fn softplus[T: float](x: T[*S]) -> T[*S] = log(1 + exp(x))
  derivative (dx) => sigmoid(x) * dx

export fn minimum(x0: f64[2], steps: dim) -> f64[2] =
  newton(x => sum((x * x - tensor([4.0, 9.0])) ** 2), x0, steps)

model Generator {
  fc1: Linear(8, 16)
  fc2: Linear(16, 784)
  fn forward(z: f32[B, 8]) -> f32[B, 784] = tanh(fc2(relu(fc1(z))))
}

model Discriminator {
  fc1: Linear(784, 16)
  fc2: Linear(16, 1)
  fn forward(x: f32[B, 784]) -> f32[B] = squeeze(fc2(leaky_relu(fc1(x), 0.2)), 1)
}

fn gan_loss(scores: f32[B], real: float) -> f32 =
  binary_cross_entropy_with_logits(scores, full_like(scores, real))

# Two players, two optimizers, one native call.
export fn gan_step(
  g: mut Generator,
  d: mut Discriminator,
  og: mut Adam(g, lr: 2e-4),
  od: mut Adam(d, lr: 2e-4),
  real: f32[B, 784],
  rng: mut key,
) -> (f32, f32) {
  let z = randn([size(real, 0), 8])
  let (ld, gd) = value_and_grad(d => (gan_loss(d(real), 1.0) + gan_loss(d(g(z)), 0.0)))(d)
  od.step(d, gd)
  let (lg, gg) = value_and_grad(g => gan_loss(d(g(z)), 1.0))(g)
  og.step(g, gg)
  (ld, lg)
}

model Small {
  layer: MyLinear(3, 2)
  centered: Centered
  fn forward(x: f32[B, 3]) -> f32[B, 2] = centered(layer(x))
}

fn loss(net: Small, x: f32[B, 3], y: f32[B, 2]) -> f32 = mse_loss(net(x), y)

export fn train_step(
  net: mut Small,
  opt: mut SGD(net, lr: 0.1, momentum: 0.9),
  x: f32[B, 3],
  y: f32[B, 2],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}

export fn classify(lenet: LeNet, x: f32[B, 1, 28, 28]) -> f32[B, 10] = lenet(x)

export fn convolved(x: f32[1, 2, 4, 4], k: f32[2, 3, 3]) -> (f32[1, 2, 2, 2], f32[2, 3, 3]) =
  (depthwise(x, k), grad((x, k) => sum(depthwise(x, k) ** 2), wrt: 1)(x, k))

export fn recur(elman: Elman(3, 2), xs: f32[T, B, 3], h0: f32[B, 2]) -> (f32[T, B, 2], f32[B, 2]) =
  elman(xs, h0)

export fn doubled(a: f32[n]) -> (f32[n], f32[n]) = (doubling(a), grad(a => sum(doubling(a)))(a))

export fn smooth(x: f32[3]) -> (f32[3], f32[3]) = (softplus(x), grad(x => sum(softplus(x)))(x))
