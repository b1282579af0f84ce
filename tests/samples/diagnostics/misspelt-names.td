tdsl 1
# A letter too many or too few.
import std.nn { Lineer }
import std.nm { Conv2d }

dim batch

model Net(hiden: int = 8) {
  param weight: f32[hidden, 4] = zeros
  fn forward(x: f32[4]) -> f32[hiden] = weight @ x
}

fn f(x: f32[bacth, 4]) -> f32[batch] = sotfmax(x.sahpe[0] * x, dmi: 1)
