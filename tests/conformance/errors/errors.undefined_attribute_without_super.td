tdsl 1
# Models do not inherit: the field is the other model's.
model P {
  param parent: f32 = ones
}

model C {
  param own: f32 = zeros
}

export fn f(c: C) -> f32 = c.parent
