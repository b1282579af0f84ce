tdsl 1
# LeNet with batch normalisation after the convolutions and dropout before the classifier. Training updates the running
# statistics and draws the masks; prediction uses the statistics and no mask. The same model, in two modes.
import std.nn { BatchNorm2d, Conv2d, Dropout, Linear }
import std.optim { Adam }

dim B

model LeNet {
  conv1: Conv2d(1, 6, kernel_size: 5, padding: 2, bias: false)
  norm1: BatchNorm2d(6)
  conv2: Conv2d(6, 16, kernel_size: 5, bias: false)
  norm2: BatchNorm2d(16)
  fc1: Linear(400, 120)
  drop: Dropout(0.3)
  fc2: Linear(120, 10)
  fn forward(x: f32[B, 1, 28, 28]) -> f32[B, 10] {
    let h = x |> conv1 |> norm1 |> relu |> max_pool2d(2) |> conv2 |> norm2 |> relu |> max_pool2d(2)
    h |> flatten(start_dim: 1) |> fc1 |> relu |> drop |> fc2
  }
}

fn loss(net: LeNet, x: f32[B, 1, 28, 28], y: i64[B]) -> f32 = cross_entropy(net(x), y)

## The class of each image.
export fn predict(net: LeNet, x: f32[B, 1, 28, 28]) -> i64[B] = argmax(net(x), dim: 1)

## One step of training on a batch; returns its loss.
export fn train_step(
  net: mut LeNet,
  opt: mut Adam(net, lr: 0.001),
  x: f32[B, 1, 28, 28],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
