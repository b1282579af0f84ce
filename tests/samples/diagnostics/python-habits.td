tdsl 1
# What comes from Python, one mistake a function.
import std.nn { Linear }

model Net {
  fc: Linear(4, 2)
  fn forward(self, x: f32[3, 4]) -> f32[3, 2] = self.fc(x)
}

fn norms(x: f32[3, 4]) = torch.norm(x, dim: 1)

fn means(x: f32[3, 4]) = x.mean(axis: 1)

fn columns(x: f32[3, 4]) = x.view(12)

fn doubles(x: f32[3, 4]) = x.double()

fn steps(x: f32[3]) {
  let total = 0.0
  for i in range(3) { total = total + x[i] }
  total
}

fn shifted(x: f32[3]) -> f32[3] {
  x[0] = 1.0
  x
}

fn first(x: f32[3]) -> f32 {
  return x[0]
}
