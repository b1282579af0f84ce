tdsl 1
# The network of examples/lenet.td.
import std.nn { Conv2d, Linear }
import std.optim { SGD }

dim B

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

fn loss(net: LeNet, x: f32[B, 1, 28, 28], y: i64[B]) -> f32 = cross_entropy(net(x), y)

export fn forward(net: LeNet, x: f32[B, 1, 28, 28]) -> f32[B, 10] = net(x)

export fn step(
  net: mut LeNet,
  opt: mut SGD(net, lr: 0.05, momentum: 0.9),
  x: f32[B, 1, 28, 28],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
