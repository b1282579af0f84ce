tdsl 1
# Three channels are not two groups.
import std.nn { Conv2d }

model Net {
  conv: Conv2d(3, 4, 3, groups: 2)
  fn forward(x: f32[1, 3, 8, 8]) = conv(x)
}
