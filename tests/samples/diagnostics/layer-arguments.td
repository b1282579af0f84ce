tdsl 1
# Arguments of layers and optimizers that make no sense, each in a model of its own.
import std.nn { BatchNorm2d, Bilinear, Conv2d, ConvTranspose2d, Dropout, Embedding, Flatten, GroupNorm, LayerNorm, Linear, MaxPool2d, PReLU, Sequential }
import std.optim { Adam, RMSprop, SGD }

model Features {
  fc: Linear(784)
  fn forward(x: f32[4, 784]) = fc(x)
}

model Negative {
  fc: Linear(-3, 2)
  fn forward(x: f32[4, 3]) = fc(x)
}

model Real {
  fc: Linear(3, 2.5)
  fn forward(x: f32[4, 3]) = fc(x)
}

model Misspelt {
  fc: Linear(3, 2, biass: false)
  fn forward(x: f32[4, 3]) = fc(x)
}

model Unknown {
  fc: Lineer(3, 2)
  fn forward(x: f32[4, 3]) = fc(x)
}

model Mismatch {
  layers: Sequential(Linear(4, 8), Linear(9, 2))
  fn forward(x: f32[5, 4]) = layers(x)
}

model Channels {
  conv: Conv2d(3, 8, 3)
  norm: BatchNorm2d(4)
  fn forward(x: f32[2, 3, 8, 8]) = norm(conv(x))
}

model Groups {
  conv: Conv2d(4, 6, 3, groups: 4)
  fn forward(x: f32[2, 4, 8, 8]) = conv(x)
}

model Padding {
  conv: Conv2d(1, 1, 3, padding_mode: "mirror")
  fn forward(x: f32[2, 1, 8, 8]) = conv(x)
}

model Drop {
  drop: Dropout(-0.1)
  fn forward(x: f32[4]) = drop(x)
}

model Heads {
  norm: GroupNorm(3, 4)
  fn forward(x: f32[2, 4, 5]) = norm(x)
}

model Words {
  embed: Embedding(10, 3, padding_idx: 10)
  fn forward(i: i64[4]) = embed(i)
}

model Classes {
  embed: Embedding(10, 3)
  fn forward(x: f32[4]) = embed(x)
}

model Pool {
  pool: MaxPool2d(9)
  fn forward(x: f32[1, 1, 8, 8]) = pool(x)
}

model Norm {
  norm: LayerNorm([4, 5])
  fn forward(x: f32[2, 4, 6]) = norm(x)
}

model Slope {
  act: PReLU(3)
  fn forward(x: f32[2, 4, 6]) = act(x)
}

model Line {
  fc: Linear(2, 1)
  fn forward(x: f32[4, 2]) -> f32[4, 1] = fc(x)
}

fn loss(net: Line, x: f32[4, 2]) -> f32 = mean(net(x))

export fn negative_rate(net: mut Line, opt1: mut SGD(net, lr: -0.1), x: f32[4, 2]) {
  opt1.step(net, grad(loss)(net, x))
}

export fn no_rate(net: mut Line, opt2: mut SGD(net), x: f32[4, 2]) {
  opt2.step(net, grad(loss)(net, x))
}

export fn wrong_betas(net: mut Line, opt3: mut Adam(net, betas: [0.9, 1.0]), x: f32[4, 2]) {
  opt3.step(net, grad(loss)(net, x))
}

export fn negative_decay(net: mut Line, opt4: mut Adam(net, weight_decay: -1.0), x: f32[4, 2]) {
  opt4.step(net, grad(loss)(net, x))
}

export fn nesterov(net: mut Line, opt5: mut SGD(net, lr: 0.1, nesterov: true), x: f32[4, 2]) {
  opt5.step(net, grad(loss)(net, x))
}

export fn negative_eps(net: mut Line, opt6: mut RMSprop(net, eps: -1.0), x: f32[4, 2]) {
  opt6.step(net, grad(loss)(net, x))
}

export fn negative_momentum(net: mut Line, opt7: mut SGD(net, lr: 0.1, momentum: -1.0), x: f32[4, 2]) {
  opt7.step(net, grad(loss)(net, x))
}

export fn missing_gradient(net: mut Line, opt8: mut SGD(net, lr: 0.1), x: f32[4, 2]) {
  opt8.step(net)
}

fn wrong_argument(net: Line, x: f32[4, 3]) = net(x)

fn too_many(net: Line, x: f32[4, 2]) = net(x, x)

fn no_field(net: Line, x: f32[4, 2]) = net.fc2(x)

fn no_bias(net: Line, x: f32[4, 2]) = net.fc.biases
