tdsl 1
# Mistakes with values, shapes, branches and gradients.

fn unpack(x: f32[6]) {
  let (a, b) = split(x, 2)
  a + b
}

fn unpack_more(x: f32[6]) {
  let (a, b, c, d) = chunk(x, 3)
  a
}

fn vector_condition(x: f32[3]) -> f32[3] = if x > 0 { x } else { -x }

fn vector_loop(x: f32[3]) -> f32[3] = while x < 10 max 5 from y = x { y * 2 }

fn branches(x: f32) = if x > 0 { zeros([2]) } else { zeros([3]) }

fn changing_carry(xs: f32[4, 2]) = fold xs from zeros([2]) { (h, x) => cat((h, x)) }

fn vector_gradient(x: f32[3]) = grad(x => x * x)(x)

fn integer_gradient(x: i64[3]) = grad(x => sum(x))(x)

fn wrong_result(x: f32[2, 3]) -> f32[3, 2] = x

fn wrong_dtype(x: f32[2]) -> i64[2] = x

fn wrong_rank(x: f32[2, 3]) -> f32[6] = x

fn undefined_name(x: f32[2]) = x + bias

fn undefined_later(x: f32[2]) {
  let y = z * 2
  let z = x
  y
}

fn recursive_value(x: f32[2]) = recursive_value(x)

fn too_few(a: f32[2], b: f32[2]) = a + b

fn call_few(x: f32[2]) = too_few(x)

fn call_many(x: f32[2]) = too_few(x, x, x)

fn call_wrong(x: f32[3], y: f32[2]) = too_few(x, y)

fn call_number(x: f32[2]) = x(1)

fn text_and_number(x: f32[2]) = x + "one"

fn none_and_number(x: f32[2]) = x + none

fn list_and_number() = [1, 2] + 3

fn two_lists(x: f32[2, 3]) = x + [1, 2]

fn write_argument(x: f32[3]) -> f32[3] {
  x[0] = 1
  x
}

fn write_constant() {
  let x = zeros([2])
  x.T = zeros([2])
  x
}

fn mask_assignment(x: f32[3]) = update(x, [0:2], zeros([3]))

fn tuple_index(x: f32[4]) = split(x, 2)[2]

fn method(x: f32[4]) = x.summ()

fn attribute(x: f32[4]) = x.grad

fn shape_index(x: f32[4, 2]) = x.shape[2]

fn dims(x: f32[n, n], y: f32[2, 3]) = x

fn use_dims() = dims(zeros([2, 3]), zeros([2, 3]))

fn power(x: i64[3]) = x ** -2

fn int_overflow(x: i8[2]) = x + 200

fn chained(x: f32[2]) = 0 < x < 1

fn twice(x: f32[2], x: f32[2]) = x
