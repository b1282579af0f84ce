tdsl 1
# ResNet-18 (He et al. 2016).
import std.nn { BatchNorm2d, Conv2d, Linear }
import std.optim { SGD }

dim B

model Block(inputs: int, outputs: int, stride: int = 1) {
  let shortened = stride != 1 || inputs != outputs
  conv1: Conv2d(inputs, outputs, kernel_size: 3, stride: stride, padding: 1, bias: false)
  bn1: BatchNorm2d(outputs)
  conv2: Conv2d(outputs, outputs, kernel_size: 3, padding: 1, bias: false)
  bn2: BatchNorm2d(outputs)
  if shortened {
    short: Conv2d(inputs, outputs, kernel_size: 1, stride: stride, bias: false)
    bn3: BatchNorm2d(outputs)
  }
  fn forward(x: tensor) -> tensor {
    let h = x |> conv1 |> bn1 |> relu |> conv2 |> bn2
    relu(h + (if shortened { bn3(short(x)) } else { x }))
  }
}

model ResNet(classes: int = 1000) {
  conv1: Conv2d(3, 64, kernel_size: 7, stride: 2, padding: 3, bias: false)
  bn1: BatchNorm2d(64)
  blocks: [
    Block(64, 64),
    Block(64, 64),
    Block(64, 128, stride: 2),
    Block(128, 128),
    Block(128, 256, stride: 2),
    Block(256, 256),
    Block(256, 512, stride: 2),
    Block(512, 512),
  ]
  fc: Linear(512, classes)
  fn forward(x: f32[B, 3, 224, 224]) -> f32[B, classes] {
    let h = x |> conv1 |> bn1 |> relu |> max_pool2d(3, stride: 2, padding: 1)
    for block in blocks { h = block(h) }
    fc(mean(h, [2, 3]))
  }
}

fn loss(net: ResNet, x: f32[B, 3, 224, 224], y: i64[B]) -> f32 = cross_entropy(net(x), y)

export fn forward(net: ResNet, x: f32[B, 3, 224, 224]) -> f32[B, 1000] = net(x)

export fn step(
  net: mut ResNet,
  opt: mut SGD(net, lr: 0.05, momentum: 0.9),
  x: f32[B, 3, 224, 224],
  y: i64[B],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, g)
  l
}
