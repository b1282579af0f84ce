tdsl 1
# 12. Convolutional networks: the same small kernel at every place of the image.
import std.nn { Conv2d, Linear }
import std.optim { Adam, SGD }

dim B, H, W

## The cross-correlation of an image by its definition: indices say all there is to it, and its gradient comes with it.
fn corr2d(x: f32[H, W], k: f32[K, L]) -> f32[H - K + 1, W - L + 1] {
  out[i, j] = sum over u, v: x[i + u, j + v] * k[u, v]
}
export fn by_hand(x: f32[H, W], k: f32[2, 2]) -> (f32[H - 1, W - 1], f32[1, 1, H - 1, W - 1]) =
  (corr2d(x, k), conv2d(reshape(x, [1, 1, H, W]), reshape(k, [1, 1, 2, 2])))

## Several channels in are summed, several out are stacked. A kernel of 1 x 1 is a linear layer over the channels of each pixel.
export fn channels(x: f32[3, H, W], k: f32[2, 3, 1, 1]) -> (f32[2, H, W], f32[2, H, W]) {
  dense[o, i, j] = sum over c: k[o, c, 0, 0] * x[c, i, j]
  (conv2d(x, k), dense)
}

## Sizes: floor((n + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. The compiler works them out; a wrong one is an error.
export fn sizes(
  x: f32[1, 1, 28, 28],
  k: f32[4, 1, 5, 5],
) -> (f32[1, 4, 24, 24], f32[1, 4, 28, 28], f32[1, 4, 12, 12], f32[1, 4, 20, 20]) =
  (conv2d(x, k), conv2d(x, k, padding: 2), conv2d(x, k, stride: 2), conv2d(x, k, dilation: 2))

## Pooling: the largest or the mean of each window. Padding counts as -inf for the one, as zero for the other.
export fn pooling(x: f32[1, 4, 4]) -> (f32[1, 2, 2], f32[1, 2, 2], f32[1, 2, 2]) =
  (max_pool2d(x, 2), avg_pool2d(x, 2), max_pool2d(x, 3, stride: 2, padding: 1))

## A layer that learns which kernel made an image.
model Edge { param kernel: f32[1, 2] = normal(std: 0.1) }
export fn learn_edges(
  edge: mut Edge,
  sgd: mut SGD(edge, lr: 0.03),
  x: f32[H, W],
  y: f32[H, W - 1],
) -> f32 {
  let (l, g) = value_and_grad(edge => sum((corr2d(x, edge.kernel) - y) ** 2))(edge)
  sgd.step(edge, g)
  l
}

## LeNet-5 (LeCun et al. 1998) with max pooling and ReLU: channels grow while the maps shrink.
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

export fn train_step(
  net: mut LeNet,
  opt: mut Adam(net, lr: 0.002),
  x: f32[B, 1, 28, 28],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(net => cross_entropy(net(x), y))(net)
  opt.step(net, g)
  l
}
export fn predict(net: LeNet, x: f32[B, 1, 28, 28]) -> i64[B] = argmax(net(x), dim: 1)
