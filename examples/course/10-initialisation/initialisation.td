tdsl 1
# 10. Initialisation. A gradient is a product of as many matrices as there are layers, so their sizes decide whether it vanishes or explodes.
import std.nn { Linear }

dim B

## A layer whose weights are drawn by a rule: one of PyTorch's initialisers, by name.
model Layer(rule: string) {
  if rule == "small" {
    param weight: f32[64, 64] = normal(std: 0.01)
  } else if rule == "large" {
    param weight: f32[64, 64] = normal(std: 0.5)
  } else if rule == "xavier" {
    param weight: f32[64, 64] = xavier_uniform
  } else {
    param weight: f32[64, 64] = kaiming_normal(nonlinearity: "relu")
  }
  fn forward(x: f32[B, 64]) -> f32[B, 64] = x @ weight.T
}

## Ten layers with an activation behind each.
model Deep(rule: string) { layers: [Layer(rule) for i in 0..10] }

## The sizes_in of the activations, and of the gradient of the loss by each layer's weights: their standard sizes, from the first layer to the last.
fn sizes_in[M: model](net: M, x: f32[B, 64], activation: any) -> (f32[10], f32[10]) {
  let run = net => {
    let (h, sizes) = (x, [])
    for layer in net.layers {
      h = activation(layer(h))
      sizes = sizes + [mean(abs(h))]
    }
    (h, stack(sizes))
  }
  let g = grad(net => sum(run(net)[0] ** 2) / 2)(net)
  (run(net)[1], stack([mean(abs(leaf)) for leaf in leaves(g)]))
}

export fn sigmoid_small(small: Deep("small"), x: f32[B, 64]) -> (f32[10], f32[10]) =
  sizes_in(small, x, sigmoid)
export fn relu_small(small: Deep("small"), x: f32[B, 64]) -> (f32[10], f32[10]) =
  sizes_in(small, x, relu)
export fn relu_large(large: Deep("large"), x: f32[B, 64]) -> (f32[10], f32[10]) =
  sizes_in(large, x, relu)
export fn tanh_xavier(xavier: Deep("xavier"), x: f32[B, 64]) -> (f32[10], f32[10]) =
  sizes_in(xavier, x, tanh)
export fn relu_kaiming(kaiming: Deep("kaiming"), x: f32[B, 64]) -> (f32[10], f32[10]) =
  sizes_in(kaiming, x, relu)

## An initialiser of one's own: uniform from -10 to 10, of which what is smaller than 5 becomes 0.
fn far_or_zero(size: [dim]) -> tensor {
  let draws = uniform(size, -10.0, 10.0)
  draws * cast(abs(draws) >= 5, f32)
}

## Layers initialise themselves, here uniformly within 1/sqrt(64); `reset` draws anew by the kind of the parameter, as `net.apply` does.
model Net {
  fc: Linear(64, 64)
  param own: f32[100, 100] = far_or_zero
}
export fn reset(net: mut Net) {
  map (path, p) over (net) {
    if ends_with(path, "weight") { p = xavier_normal(p.shape) }
    if ends_with(path, "bias") { p = zeros(p.shape) }
  }
}

## Units that begin equal get equal gradients, and stay equal: randomness breaks the symmetry.
export fn symmetric(x: f32[B, 3], y: f32[B]) -> f32[4, 3] =
  grad(w => sum((sum(tanh(x @ w.T), dim: 1) - y) ** 2))(ones([4, 3]))
