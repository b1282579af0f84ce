tdsl 1
# `w` is not a parameter of the function that is differentiated.
let w = full([1], 2.0)

fn loss(prediction: f32[1]) -> f32 = mse_loss(ones([1]), prediction * w)

fn slope() = grad(loss, wrt: w)(ones([1]))
