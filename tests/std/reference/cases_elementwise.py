"""Creation, pointwise operations, comparisons, activations."""
S = ("f32", [0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1.0, -1.0, 0.5, -2.5, 100.0, -100.0, 1e-30])
EDGE = {"tags": ["edge", "nan-grad"]}
X = {"x": "f32[2,3]"}
XY = {"x": "f32[2,3]", "y": "f32[2,3]"}


def both(name, args="x", inputs=None, torch=None, suffix="", options=None):
    """A case whose expression is the function of PyTorch by the same name."""
    return (name + suffix, f"{torch or 'torch.' + name}({args})", f"{name}({args.replace('=', ': ')})", inputs or X, options or {})


unary = "abs acos asin asinh atan ceil cos cosh erf exp exp2 expm1 floor frac log log10 log1p log2 neg reciprocal round rsqrt sigmoid sign sin sinh sqrt square tan tanh trunc".split()
unit = {"acos", "asin"}
positive = {"log", "log10", "log2", "rsqrt", "sqrt"}


def domain(name):
    if name in unit:
        return {"x": "f32[2,4] -0.9 0.9"}
    return {"x": "f32[2,4] 0.1 3"} if name in positive else {"x": "f32[2,4] -0.9 3"} if name == "log1p" else {"x": "f32[2,4] -3 3"}


groups = {
    "unary": [both(n, inputs=domain(n)) for n in unary]
    + [both(n, inputs={"x": domain(n)["x"].replace("f32", "f64")}, suffix="_f64") for n in unary]
    + [both(n, inputs={"x": S}, suffix="_special", options={"grad": False, "tags": ["edge"]}) for n in unary]
    + [both(n, inputs={"x": ("i64", [[1, 2], [3, 1]])}, suffix="_i64") for n in unary if n not in ("frac",) and n not in unit]
    + [both(n, inputs={"x": "f32[0,3]"}, suffix="_empty") for n in ("exp", "abs", "neg")]
    + [both(n, inputs={"x": "f32[]"}, suffix="_scalar") for n in ("exp", "abs", "sign")]
    + [both("sigmoid", inputs={"x": ("bool", [True, False])}, suffix="_bool"), both("exp", inputs={"x": ("bool", [True, False])}, suffix="_bool")],
    "binary": [
        *[both(n, "x, y", XY) for n in "add sub mul div maximum minimum hypot logaddexp atan2 fmod remainder".split()],
        *[both(n, "x, y", {"x": S, "y": ("f32", [1.5, 2.0, 1.0, 2.0, 3.0, float("inf"), -float("inf"), float("nan"), 2.0, -3.0, 7.0, 0.0])}, suffix="_special", options={"grad": False})
          for n in "add sub mul div maximum minimum hypot logaddexp atan2 fmod remainder pow xlogy".split()],
        *[both(n, "x, y", {"x": ("i64", [7, -7, 7, -7, 0]), "y": ("i64", [3, 3, -3, -3, 5])}, suffix="_i64") for n in "add sub mul div maximum minimum fmod remainder".split()],
        *[both(n, "x, y", {"x": "f32[3,1]", "y": "f32[2,1,4]"}, suffix="_broadcast") for n in "add mul div maximum hypot atan2".split()],
        *[both(n, "x, y", {"x": ("i32", [1, 2]), "y": "f64[2]"}, suffix="_promote") for n in "add mul div maximum".split()],
        ("add_alpha", "torch.add(x, y, alpha=2)", "add(x, y, alpha: 2)", XY),
        ("add_alpha_i64", "torch.add(x, y, alpha=3)", "add(x, y, alpha: 3)", {"x": ("i64", [1, 2]), "y": ("i64", [5, -1])}),
        ("sub_alpha", "torch.sub(x, y, alpha=0.5)", "sub(x, y, alpha: 0.5)", XY),
        ("add_number", "x + 2", "add(x, 2)", {"x": ("i32", [1, 2])}),
        ("add_float_to_int", "x + 2.5", "x + 2.5", {"x": ("i32", [1, 2])}),
        ("add_scalar_tensor_f64", "x + y", "x + y", {"x": "f32[2]", "y": ("f64", 1.5)}),
        ("add_bool_bool", "x + y", "x + y", {"x": ("bool", [True, False, True]), "y": ("bool", [True, True, False])}),
        ("mul_bool_int", "x * y", "x * y", {"x": ("bool", [True, False]), "y": ("i32", [4, 5])}),
        ("mul_bool_float_number", "x * 1.5", "x * 1.5", {"x": ("bool", [True, False])}),
        ("rsub", "3 - x", "3 - x", X),
        ("rdiv", "1 / x", "1 / x", {"x": "f32[4] 0.5 2"}),
        ("div_int_number", "x / 2", "x / 2", {"x": ("i64", [3, 4])}),
        ("div_zero_float", "x / y", "x / y", {"x": ("f32", [1.0, -1.0, 0.0]), "y": ("f32", [0.0, 0.0, 0.0])}, {"grad": False}),
        ("div_floor", "torch.div(x, y, rounding_mode='floor')", 'div(x, y, rounding_mode: "floor")', {"x": ("f32", [7.5, -7.5, 7.5, -7.5, 0.0, 1.0]), "y": ("f32", [2.0, 2.0, -2.0, -2.0, 1.0, 0.0])}, {"grad": False}),
        ("div_trunc", "torch.div(x, y, rounding_mode='trunc')", 'div(x, y, rounding_mode: "trunc")', {"x": ("f32", [7.5, -7.5, 7.5, -7.5]), "y": ("f32", [2.0, 2.0, -2.0, -2.0])}),
        ("div_floor_i32", "torch.div(x, y, rounding_mode='floor')", "x // y", {"x": ("i32", [7, -7, 7, -7]), "y": ("i32", [2, 2, -2, -2])}),
        ("floor_div_float", "torch.floor_divide(x, 0.3)", "x // 0.3", {"x": "f32[4]"}, {"grad": False}),
        ("remainder_float_number", "x % 0.75", "x % 0.75", {"x": "f32[6] -3 3"}),
        ("remainder_neg_number", "torch.remainder(x, -2)", "remainder(x, -2)", {"x": ("i64", [5, -5, 4, 0])}),
        ("fmod_float", "torch.fmod(x, y)", "fmod(x, y)", {"x": ("f32", [5.5, -5.5, 5.5, -5.5]), "y": ("f32", [2.0, 2.0, -2.0, -2.0])}),
        ("pow_2", "x ** 2", "x ** 2", X), ("pow_3", "x ** 3", "x ** 3", X), ("pow_neg", "x ** -2", "x ** -2", {"x": "f32[4] 0.5 2"}),
        ("pow_i64", "x ** 3", "x ** 3", {"x": ("i64", [2, -3, 0])}),
        ("pow_i64_tensor", "torch.pow(x, y)", "pow(x, y)", {"x": ("i64", [2, -3, 0]), "y": ("i64", [3, 2, 0])}),
        ("pow_base_number", "2 ** x", "2 ** x", X),
        ("pow_zero_base", "x ** y", "x ** y", {"x": ("f32", [0.0, 0.0, 0.0]), "y": ("f32", [2.0, 1.0, 0.0])}),
        ("pow_int_to_float", "x ** 0.5", "x ** 0.5", {"x": ("i64", [4, 9])}),
        ("pow_1", "x ** 1", "x ** 1", X), ("pow_frac", "x ** 1.5", "x ** 1.5", {"x": "f32[4] 0.1 2"}),
        ("xlogy", "torch.xlogy(x, y)", "xlogy(x, y)", {"x": ("f32", [0.0, 1.0, 2.0]), "y": ("f32", [0.5, 2.0, 3.0])}),
        ("xlogy_zero", "torch.xlogy(x, y)", "xlogy(x, y)", {"x": ("f32", [0.0, 0.0]), "y": ("f32", [0.0, 5.0])}, EDGE),
        ("addcdiv", "torch.addcdiv(x, y, z, value=0.5)", "addcdiv(x, y, z, value: 0.5)", {**XY, "z": "f32[2,3] 0.5 2"}),
        ("addcdiv_broadcast", "torch.addcdiv(x, y, z)", "addcdiv(x, y, z)", {"x": "f32[3]", "y": "f32[2,1]", "z": "f32[1] 0.5 2"}),
        ("addcmul", "torch.addcmul(x, y, z, value=-2)", "addcmul(x, y, z, value: -2)", {**XY, "z": "f32[2,3]"}),
        ("addcmul_i64", "torch.addcmul(x, y, z)", "addcmul(x, y, z)", {"x": ("i64", [1, 2]), "y": ("i64", [3, 4]), "z": ("i64", [5, 6])}),
        ("lerp_tensor", "torch.lerp(x, y, z)", "lerp(x, y, z)", {**XY, "z": "f32[2,3] 0 1"}),
        ("lerp_f64", "torch.lerp(x, y, 0.7)", "lerp(x, y, 0.7)", {"x": "f64[3]", "y": "f64[3]"}),
        ("clamp_min", "torch.clamp(x, min=-0.5)", "clamp(x, min: -0.5)", X),
        ("clamp_i64", "torch.clamp(x, min=-1, max=2)", "clamp(x, min: -1, max: 2)", {"x": ("i64", [-5, 0, 5])}),
        ("clamp_tensor", "torch.clamp(x, min=y, max=z)", "clamp(x, min: y, max: z)", {"x": "f32[2,3]", "y": "f32[3] -1 0", "z": "f32[3] 0 1"}),
        ("clamp_crossed", "torch.clamp(x, min=1, max=-1)", "clamp(x, min: 1, max: -1)", X),
        ("clamp_inf", "torch.clamp(x, min=-1, max=1)", "clamp(x, min: -1, max: 1)", {"x": S}, {"grad": False}),
        ("round_dec", "torch.round(x, decimals=1)", "round(x, decimals: 1)", {"x": "f64[5]"}),
        ("round_neg_dec", "torch.round(x, decimals=-1)", "round(x, decimals: -1)", {"x": ("f32", [14.0, 15.0, 25.0, -25.0])}),
        ("round_half", "torch.round(x)", "round(x)", {"x": ("f32", [0.5, 1.5, 2.5, -0.5, -1.5])}),
        ("bitwise_and", "x & y", "bitwise_and(x, y)", {"x": ("i32", [12, -1, 7]), "y": ("i32", [10, 5, -8])}),
        ("bitwise_or", "x | y", "bitwise_or(x, y)", {"x": ("i64", [12, -1, 7]), "y": ("i64", [10, 5, -8])}),
        ("bitwise_xor", "x ^ y", "bitwise_xor(x, y)", {"x": ("u8", [12, 255, 7]), "y": ("u8", [10, 5, 8])}),
        ("bitwise_not", "~x", "bitwise_not(x)", {"x": ("i8", [12, -1, 0])}),
        ("bitwise_not_bool", "torch.bitwise_not(x)", "bitwise_not(x)", {"x": ("bool", [True, False])}),
        ("bitwise_and_bool", "torch.bitwise_and(x, y)", "bitwise_and(x, y)", {"x": ("bool", [True, False]), "y": ("bool", [True, True])}),
        ("shift_left", "torch.bitwise_left_shift(x, y)", "bitwise_left_shift(x, y)", {"x": ("i64", [1, 3, -2]), "y": ("i64", [4, 1, 2])}),
        ("shift_right", "torch.bitwise_right_shift(x, y)", "bitwise_right_shift(x, y)", {"x": ("i64", [64, 3, -16]), "y": ("i64", [4, 1, 2])}),
        ("maximum_ties", "torch.maximum(x, y)", "maximum(x, y)", {"x": ("f32", [1.0, 2.0]), "y": ("f32", [1.0, 3.0])}),
        ("maximum_i32_i64", "torch.maximum(x, y)", "maximum(x, y)", {"x": ("i32", [1, 5]), "y": ("i64", [2, 3])}),
        ("f16_mul", "x * y", "x * y", {"x": "f16[4]", "y": "f16[4]"}), ("bf16_add", "x + y", "x + y", {"x": "bf16[4]", "y": "bf16[4]"}),
        ("f16_exp", "torch.exp(x.float()).half()", "exp(x)", {"x": "f16[4]"}),
        ("f16_f32", "x + y", "x + y", {"x": "f16[3]", "y": "f32[3]"}),
        ("u8_sub_wraps", "x - y", "x - y", {"x": ("u8", [3, 4]), "y": ("u8", [5, 1])}),
        ("i8_u8", "x * y", "x * y", {"x": ("i8", [-3, 4]), "y": ("u8", [5, 1])}),
        ("cast_u8", "x.to(torch.uint8)", "cast(x, u8)", {"x": ("i64", [-1, 256, 255])}),
        ("cast_bool", "x.to(torch.bool)", "cast(x, bool)", {"x": ("f32", [0.0, -0.5, float("nan")])}),
        ("cast_i32_trunc", "x.to(torch.int32)", "cast(x, i32)", {"x": ("f32", [1.9, -1.9])}),
        ("cast_f64", "x.to(torch.float64)", "cast(x, f64)", X),
        ("detach_mix", "x * x.detach()", "x * detach(x)", X),
        ("clone", "x.clone()", "clone(x)", X),
        ("clone_bool", "x.clone()", "clone(x)", {"x": ("bool", [True, False])}),
        ("numel", "torch.tensor(x.numel())", "numel(x)", X),
        ("ndim", "torch.tensor(x.ndim)", "ndim(x)", X),
        ("size", "torch.tensor(x.size(-1))", "size(x, -1)", X),
        ("isclose", "torch.isclose(x, y)", "isclose(x, y)", {"x": ("f32", [1.0, float("nan"), float("inf"), 1.0]), "y": ("f32", [1.000001, float("nan"), float("inf"), 1.1])}),
        ("isclose_nan", "torch.isclose(x, y, equal_nan=True)", "isclose(x, y, equal_nan: true)", {"x": ("f32", [float("nan"), -float("inf")]), "y": ("f32", [float("nan"), float("inf")])}),
        ("isclose_int", "torch.isclose(x, y, rtol=0.5, atol=0)", "isclose(x, y, rtol: 0.5, atol: 0)", {"x": ("i64", [10, 10]), "y": ("i64", [12, 30])}),
        ("allclose_tol", "torch.tensor(torch.allclose(x, y, rtol=0.1))", "allclose(x, y, rtol: 0.1)", {"x": ("f32", [1.0, 2.0]), "y": ("f32", [1.05, 2.1])}),
        ("equal_true", "torch.tensor(torch.equal(x, y))", "equal(x, y)", {"x": ("i64", [1, 2]), "y": ("i64", [1, 2])}),
        ("equal_nan", "torch.tensor(torch.equal(x, y))", "equal(x, y)", {"x": ("f32", [float("nan")]), "y": ("f32", [float("nan")])}),
        ("eq_mixed", "x == y", "x == y", {"x": ("i64", [1, 2]), "y": ("f32", [1.0, 2.5])}),
        ("ge", "torch.ge(x, y)", "ge(x, y)", XY),
        ("gt_number", "x > 0.5", "x > 0.5", X),
        ("ne_nan", "x != x", "x != x", {"x": S}),
        ("lt_special", "x < 0", "x < 0", {"x": S}),
        ("isnan_int", "torch.isnan(x)", "isnan(x)", {"x": ("i64", [1])}),
        ("isinf_int", "torch.isinf(x)", "isinf(x)", {"x": ("i64", [1])}),
        ("isfinite_special", "torch.isfinite(x)", "isfinite(x)", {"x": S}),
        ("isfinite_int", "torch.isfinite(x)", "isfinite(x)", {"x": ("i32", [1])}),
        ("logical_and_float", "torch.logical_and(x, y)", "logical_and(x, y)", {"x": ("f32", [0.0, 1.0, float("nan")]), "y": ("f32", [1.0, 2.0, 1.0])}),
        ("logical_xor_int", "torch.logical_xor(x, y)", "logical_xor(x, y)", {"x": ("i64", [0, 1, 2]), "y": ("i64", [0, 0, 1])}),
        ("logical_not_float", "torch.logical_not(x)", "logical_not(x)", {"x": ("f32", [0.0, -1.0])}),
        ("logical_or_op", "(x > 0) | (x < -1)", "x > 0 || x < -1", X),
        ("not_op", "~(x > 0)", "!(x > 0)", X),
        ("where_numbers", "torch.where(x > 0, 1.0, 0.0)", "where(x > 0, 1.0, 0.0)", X),
        ("where_promote", "torch.where(x > 0, x, torch.zeros(2, 3, dtype=torch.float64))", "where(x > 0, x, zeros([2, 3], f64))", X, {"grad": False}),
        ("where_broadcast", "torch.where(c, x, y)", "where(c, x, y)", {"c": ("bool", [[True], [False]]), "x": "f32[3]", "y": "f32[2,1]"}),
    ],
    "creating": [
        ("arange_neg", "torch.arange(5, 0, -2)", "arange(5, 0, -2)", {}),
        ("arange_float", "torch.arange(0, 1, 0.25)", "arange(0, 1, 0.25)", {}),
        ("arange_dtype", "torch.arange(3, dtype=torch.float64)", "arange(end: 3, dtype: f64)", {}),
        ("arange_end", "torch.arange(3.5)", "arange(end: 3.5)", {}), ("arange_empty", "torch.arange(3, 3)", "arange(3, 3)", {}),
        ("linspace_5", "torch.linspace(0, 1, 5)", "linspace(0, 1, 5)", {}),
        ("linspace_1", "torch.linspace(2, 5, 1)", "linspace(2, 5, 1)", {}),
        ("linspace_0", "torch.linspace(2, 5, 0)", "linspace(2, 5, 0)", {}),
        ("linspace_f64", "torch.linspace(-1, 1, 7, dtype=torch.float64)", "linspace(-1, 1, 7, dtype: f64)", {}),
        ("linspace_down", "torch.linspace(3, -3, 4)", "linspace(3, -3, 4)", {}),
        ("logspace", "torch.logspace(0, 2, 5)", "logspace(0, 2, 5)", {}),
        ("logspace_base", "torch.logspace(-2, 3, 6, base=2.0)", "logspace(-2, 3, 6, base: 2.0)", {}),
        ("logspace_1", "torch.logspace(1, 2, 1)", "logspace(1, 2, 1)", {}),
        ("full_int", "torch.full((2, 2), 7)", "full([2, 2], 7)", {}),
        ("full_float", "torch.full((2,), 1.5)", "full([2], 1.5)", {}),
        ("full_bool", "torch.full((2,), True)", "full([2], true)", {}),
        ("full_dtype", "torch.full((2,), 3, dtype=torch.float16)", "full([2], 3, dtype: f16)", {}),
        ("full_scalar", "torch.full((), 2)", "full([], 2)", {}),
        ("full_like", "torch.full_like(x, 4)", "full_like(x, 4)", {"x": "f32[2]"}),
        ("full_like_dtype", "torch.full_like(x, 4, dtype=torch.int32)", "full_like(x, 4, dtype: i32)", {"x": "f32[2]"}),
        ("ones_dtype", "torch.ones(2, 3, dtype=torch.int64)", "ones([2, 3], dtype: i64)", {}),
        ("ones_bool", "torch.ones(2, dtype=torch.bool)", "ones([2], bool)", {}),
        ("zeros_like_dtype", "torch.zeros_like(x, dtype=torch.bool)", "zeros_like(x, dtype: bool)", {"x": "f32[2]"}),
        ("eye_rect", "torch.eye(2, 4)", "eye(2, 4)", {}),
        ("eye_i64", "torch.eye(3, dtype=torch.int64)", "eye(3, dtype: i64)", {}),
        ("new_ones", "x.new_ones(2, 2)", "new_ones(x, [2, 2])", {"x": ("i32", [1])}),
        ("one_hot_2d", "F.one_hot(x, 3)", "one_hot(x, 3)", {"x": ("i64", [[0, 2], [1, 1]])}),
        ("one_hot_scalar", "F.one_hot(x, 3)", "one_hot(x, num_classes: 3)", {"x": ("i64", 1)}),
        ("tensor_nested", "torch.tensor([[1, 2], [3, 4]])", "tensor([[1, 2], [3, 4]])", {}),
        ("tensor_dtype", "torch.tensor([1, 2], dtype=torch.float64)", "tensor([1, 2], dtype: f64)", {}),
        ("tensor_empty", "torch.tensor([])", "tensor([])", {}),
        ("tensor_bool", "torch.tensor(True)", "tensor(true)", {}),
        ("meshgrid_3", "torch.meshgrid(x, y, z, indexing='ij')", "meshgrid(x, y, z)", {"x": "f32[2]", "y": "f32[3]", "z": "f32[1]"}),
        ("meshgrid_1", "torch.meshgrid(x, indexing='xy')", 'meshgrid(x, indexing: "xy")', {"x": "f32[2]"}),
        ("meshgrid_3xy", "torch.meshgrid(x, y, z, indexing='xy')", 'meshgrid(x, y, z, indexing: "xy")', {"x": "f32[2]", "y": "f32[3]", "z": "f32[4]"}),
    ],
    "activating": [
        *[both(n, args, {"x": "f32[3,4] -4 4"}, torch=f"F.{n}", suffix=suffix) for n, args, suffix in [
            ("celu", "x", ""), ("elu", "x", ""), ("gelu", "x", ""), ("glu", "x", ""), ("hardshrink", "x", ""), ("hardsigmoid", "x", ""), ("hardswish", "x", ""), ("hardtanh", "x", ""), ("hardtanh", "x, -2.0, 0.5", "_range"),
            ("leaky_relu", "x", ""), ("logsigmoid", "x", ""), ("mish", "x", ""), ("relu", "x", ""), ("relu6", "x", ""), ("selu", "x", ""), ("silu", "x", ""), ("softplus", "x", ""), ("softplus", "x, beta=3, threshold=2", "_beta"),
            ("softshrink", "x, lambd=1.2", ""), ("softsign", "x", ""), ("tanhshrink", "x", ""), ("threshold", "x, 0.3, -2.0", ""), ("softmax", "x, dim=0", "0"), ("softmax", "x, dim=-1", "1"), ("log_softmax", "x, dim=0", ""), ("softmin", "x, dim=0", ""), ("glu", "x, dim=1", "_1"), ("sigmoid", "x", "")]],
        *[both(n, args, {"x": ("f32", [0.0, -0.0, 3.0, -3.0, 6.0, 0.5, -0.5, 1.0, -1.0, 60.0, -60.0])}, torch=f"F.{n}", suffix="_kinks") for n, args in [
            ("celu", "x"), ("elu", "x"), ("gelu", "x"), ("hardshrink", "x"), ("hardsigmoid", "x"), ("hardswish", "x"), ("hardtanh", "x"), ("leaky_relu", "x"), ("logsigmoid", "x"), ("mish", "x"), ("relu", "x"), ("relu6", "x"), ("selu", "x"),
            ("silu", "x"), ("softplus", "x"), ("softshrink", "x"), ("softsign", "x"), ("tanhshrink", "x"), ("threshold", "x, 0.5, -2.0")]],
        *[both(n, args, {"x": ("f32", [float("nan"), float("inf"), -float("inf")])}, torch=f"F.{n}", suffix="_special", options={"grad": False}) for n, args in [
            ("celu", "x"), ("elu", "x"), ("gelu", "x"), ("hardshrink", "x"), ("hardsigmoid", "x"), ("hardswish", "x"), ("hardtanh", "x"), ("leaky_relu", "x"), ("logsigmoid", "x"), ("mish", "x"), ("relu", "x"), ("relu6", "x"), ("selu", "x"),
            ("silu", "x"), ("softplus", "x"), ("softshrink", "x"), ("softsign", "x"), ("tanhshrink", "x"), ("threshold", "x, 0.5, -2.0"), ("sigmoid", "x"), ("tanh", "x")]],
        ("prelu_channels", "F.prelu(x, w)", "prelu(x, w)", {"x": "f32[2,3,2]", "w": "f32[3]"}),
        ("prelu_1d", "F.prelu(x, w)", "prelu(x, w)", {"x": "f32[4]", "w": "f32[1]"}),
        ("gelu_tanh_f64", "F.gelu(x, approximate='tanh')", 'gelu(x, approximate: "tanh")', {"x": "f64[5]"}),
        ("relu_i64", "F.relu(x)", "relu(x)", {"x": ("i64", [-1, 0, 2])}),
        ("softmax_scalar", "torch.softmax(x, 0)", "softmax(x, 0)", {"x": "f32[]"}),
        ("softmax_empty", "torch.softmax(x, 1)", "softmax(x, 1)", {"x": "f32[0,3]"}),
        ("softmax_f64", "torch.softmax(x, 1)", "softmax(x, 1)", {"x": "f64[2,3]"}),
        ("softmax_large", "torch.softmax(x, 0)", "softmax(x, 0)", {"x": ("f32", [1000.0, 1001.0, -1000.0])}),
        ("log_softmax_inf", "torch.log_softmax(x, 0)", "log_softmax(x, 0)", {"x": ("f32", [1.0, -float("inf"), 2.0])}),
        ("softmax_3d", "torch.softmax(x, -2)", "softmax(x, -2)", {"x": "f32[2,3,2]"}),
    ],
}
