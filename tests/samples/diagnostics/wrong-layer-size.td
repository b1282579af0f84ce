tdsl 1
# The convolutions leave 16 maps of 5 x 5, not 4 x 4.
import std.nn { Conv2d, Linear }

dim B

model LeNet {
  conv1: Conv2d(1, 6, kernel_size: 5, padding: 2)
  conv2: Conv2d(6, 16, kernel_size: 5)
  fc: Linear(256, 10)

  fn forward(x: f32[B, 1, 28, 28]) -> f32[B, 10] {
    let h = x |> conv1 |> relu |> max_pool2d(2) |> conv2 |> relu |> max_pool2d(2)
    h |> flatten(start_dim: 1) |> fc
  }
}
