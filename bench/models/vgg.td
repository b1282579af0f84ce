tdsl 1
# A small network after VGG (Simonyan and Zisserman 2015) for images of CIFAR's size.
import std.nn { Conv2d, Linear }
import std.optim { SGD }

dim B

model VGG {
  a: [Conv2d(3, 32, kernel_size: 3, padding: 1), Conv2d(32, 32, kernel_size: 3, padding: 1)]
  b: [Conv2d(32, 64, kernel_size: 3, padding: 1), Conv2d(64, 64, kernel_size: 3, padding: 1)]
  fc: [Linear(4096, 256), Linear(256, 10)]
  fn forward(x: f32[B, 3, 32, 32]) -> f32[B, 10] {
    let h = x |> a[0] |> relu |> a[1] |> relu |> max_pool2d(2)
    let k = h |> b[0] |> relu |> b[1] |> relu |> max_pool2d(2)
    k |> flatten(start_dim: 1) |> fc[0] |> relu |> fc[1]
  }
}

fn loss(net: VGG, x: f32[B, 3, 32, 32], y: i64[B]) -> f32 = cross_entropy(net(x), y)

export fn forward(net: VGG, x: f32[B, 3, 32, 32]) -> f32[B, 10] = net(x)

export fn step(
  net: mut VGG,
  opt: mut SGD(net, lr: 0.05, momentum: 0.9),
  x: f32[B, 3, 32, 32],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
