tdsl 1
# A file of PyTorch, line by line: each is told what it is here.
from torch import nn
import torch
N = 3

model Net {
  fc = Linear(4, 2)
  fn forward(x: Tensor) = relu(x)
}

fn kept(x: float32[3]): f32 = sum(x)

fn larger(x: f32[], y: f32[]) {
  if x > y: x
}

fn chosen(x: f32[], y: f32[]) = x if x > y else y

fn quiet(x: f32[3]) {
  with no_grad():
    x
}
