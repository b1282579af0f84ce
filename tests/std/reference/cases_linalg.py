"""Linear algebra: decompositions, equations, norms, powers. What is unique up to signs is compared by functions that do not depend on them."""
SQUARE = "f64[4,4]"
BATCH = "f64[2,3,3]"
TALL = "f64[5,3]"
WIDE = "f64[3,5]"
SINGULAR = ("f64", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
NILPOTENT = ("f64", [[0.0, 1.0], [0.0, 0.0]])
RANK_ONE = ("f64", [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
PLAIN = {"grad": False}
SPD = "x @ x.transpose(-1, -2) + 3 * torch.eye({n}, dtype=torch.float64)"
SPD_TD = "x @ transpose(x, -1, -2) + 3 * eye({n}, dtype: f64)"
SYM = "x + x.transpose(-1, -2)"
SYM_TD = "x + transpose(x, -1, -2)"

groups = {
    "inverting": [
        ("inverse", "torch.inverse(x)", "inverse(x)", {"x": SQUARE}),
        ("inverse_f32", "torch.inverse(x)", "inverse(x)", {"x": "f32[3,3]"}),
        ("inverse_batch", "torch.inverse(x)", "inverse(x)", {"x": "f64[2,1,3,3]"}),
        ("inverse_one", "torch.inverse(x)", "inverse(x)", {"x": "f64[1,1]"}),
        ("inverse_empty", "torch.inverse(x)", "inverse(x)", {"x": "f64[0,0]"}),
        ("inverse_pivot", "torch.inverse(x)", "inverse(x)", {"x": ("f64", [[0.0, 2.0], [1.0, 0.0]])}),
        ("det", "torch.det(x)", "det(x)", {"x": SQUARE}),
        ("det_batch", "torch.det(x)", "det(x)", {"x": "f64[2,2,3,3]"}),
        ("det_f32", "torch.det(x)", "det(x)", {"x": "f32[3,3]"}),
        ("det_one", "torch.det(x)", "det(x)", {"x": "f64[1,1]"}),
        ("det_empty", "torch.det(x)", "det(x)", {"x": "f64[0,0]"}),
        # PyTorch 1.13 gives a gradient of 0 where a pivot is exactly 0; the derivative is the matrix of cofactors (tests/std/linalg.test.ts).
        ("det_singular", "torch.det(x)", "det(x)", {"x": SINGULAR}, PLAIN),
        ("det_nilpotent", "torch.det(x)", "det(x)", {"x": NILPOTENT}, PLAIN),
        ("det_zeros", "torch.det(x)", "det(x)", {"x": ("f64", [[0.0] * 3] * 3)}),
        ("slogdet", "torch.linalg.slogdet(x)", "slogdet(x)", {"x": SQUARE}),
        ("slogdet_batch", "torch.linalg.slogdet(x)", "slogdet(x)", {"x": BATCH}),
        ("slogdet_singular", "torch.linalg.slogdet(x)", "slogdet(x)", {"x": NILPOTENT}, PLAIN),
        ("logdet", "torch.logdet(" + SPD.format(n=4) + ")", "logdet(" + SPD_TD.format(n=4) + ")", {"x": SQUARE}),
        ("logdet_negative", "torch.logdet(x)", "logdet(x)", {"x": ("f64", [[0.0, 1.0], [1.0, 0.0]])}, PLAIN),
        ("logdet_zero", "torch.logdet(x)", "logdet(x)", {"x": NILPOTENT}, PLAIN),
        ("logdet_batch", "torch.logdet(" + SPD.format(n=3) + ")", "logdet(" + SPD_TD.format(n=3) + ")", {"x": BATCH}),
        *[(f"power_{'minus_' if n < 0 else ''}{abs(n)}", f"torch.linalg.matrix_power(x, {n})", f"matrix_power(x, {n})", {"x": BATCH}) for n in (-3, 0, 1, 5)],
        ("power_i64", "torch.linalg.matrix_power(x, 3)", "matrix_power(x, 3)", {"x": ("i64", [[1, 2], [3, 4]])}),
        ("exp", "torch.matrix_exp(x)", "matrix_exp(x)", {"x": SQUARE}),
        ("exp_batch", "torch.matrix_exp(x)", "matrix_exp(x)", {"x": BATCH}),
        ("exp_f32", "torch.matrix_exp(x)", "matrix_exp(x)", {"x": "f32[3,3]"}),
        ("exp_large", "torch.matrix_exp(x * 10)", "matrix_exp(x * 10)", {"x": "f64[3,3] -1 0"}),
        ("exp_mixed", "torch.matrix_exp(torch.stack([x / 100, x * 4]))", "matrix_exp(stack([x / 100, x * 4]))", {"x": "f64[3,3]"}),
        ("exp_zeros", "torch.matrix_exp(x * 0)", "matrix_exp(x * 0)", {"x": "f64[2,2]"}),
        ("exp_nilpotent", "torch.matrix_exp(x)", "matrix_exp(x)", {"x": NILPOTENT}),
    ],
    "solving": [
        ("vector", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": "f64[3,3]", "b": "f64[3]"}),
        ("matrix", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": SQUARE, "b": "f64[4,2]"}),
        ("f32", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": "f32[3,3]", "b": "f32[3,2]"}),
        ("vectors", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": BATCH, "b": "f64[2,3]"}),
        ("batch", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": BATCH, "b": "f64[2,3,4]"}),
        ("one_matrix", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": "f64[3,3]", "b": "f64[2,3,2]"}),
        ("one_side", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": BATCH, "b": "f64[3,2]"}),
        ("broadcast", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": "f64[2,1,3,3]", "b": "f64[4,3,2]"}),
        ("empty", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": "f64[0,0]", "b": "f64[0,2]"}),
        ("no_sides", "torch.linalg.solve(a, b)", "solve(a, b)", {"a": "f64[3,3]", "b": "f64[3,0]"}),
        *[
            (
                f"triangular_{'upper' if upper else 'lower'}{'_unit' if unit else ''}{suffix}",
                f"torch.linalg.solve_triangular({'a.triu' if upper else 'a.tril'}({(1 if upper else -1) if unit else 0}) {'+ torch.eye(3, dtype=a.dtype)' if unit else ''}, b, upper={upper}, unitriangular={unit})",
                f"solve_triangular(a, b, upper: {str(upper).lower()}, unitriangular: {str(unit).lower()})",
                {"a": a, "b": b},
            )
            for upper in (False, True)
            for unit in (False, True)
            for suffix, a, b in ((("", "f64[3,3]", "f64[3,2]"),) if upper == unit else (("_batch", BATCH, "f64[3,2]"),))
        ],
        ("pinv_tall", "torch.linalg.pinv(x)", "pinv(x)", {"x": TALL}),
        ("pinv_wide", "torch.linalg.pinv(x)", "pinv(x)", {"x": WIDE}),
        ("pinv_square", "torch.linalg.pinv(x)", "pinv(x)", {"x": SQUARE}),
        ("pinv_batch", "torch.linalg.pinv(x)", "pinv(x)", {"x": "f64[2,3,2]"}),
        ("pinv_deficient", "torch.linalg.pinv(x)", "pinv(x)", {"x": RANK_ONE}),
        ("pinv_zeros", "torch.linalg.pinv(x)", "pinv(x)", {"x": ("f64", [[0.0, 0.0]])}, PLAIN),
        ("lstsq_tall", "torch.linalg.lstsq(a, b).solution", "lstsq(a, b)", {"a": TALL, "b": "f64[5,2]"}),
        ("lstsq_wide", "torch.linalg.lstsq(a, b).solution", "lstsq(a, b)", {"a": WIDE, "b": "f64[3,2]"}),
        ("lstsq_batch", "torch.linalg.lstsq(a, b).solution", "lstsq(a, b)", {"a": "f64[2,4,3]", "b": "f64[2,4,1]"}),
        ("lstsq_f32", "torch.linalg.lstsq(a, b).solution", "lstsq(a, b)", {"a": "f32[5,2]", "b": "f32[5,2]"}),
        ("lstsq_deficient", "torch.linalg.lstsq(a, b).solution", "lstsq(a, b)", {"a": RANK_ONE, "b": "f64[3,1]"}, PLAIN),
        ("rank", "torch.linalg.matrix_rank(x)", "matrix_rank(x)", {"x": SINGULAR}),
        ("rank_batch", "torch.linalg.matrix_rank(x)", "matrix_rank(x)", {"x": "f64[2,3,4]"}),
        ("rank_zeros", "torch.linalg.matrix_rank(x)", "matrix_rank(x)", {"x": ("f64", [[0.0, 0.0]])}),
    ],
    "decomposing": [
        ("cholesky", "torch.linalg.cholesky(" + SPD.format(n=4) + ")", "cholesky(" + SPD_TD.format(n=4) + ")", {"x": SQUARE}),
        ("cholesky_upper", "torch.linalg.cholesky(" + SPD.format(n=3) + ", upper=True)", "cholesky(" + SPD_TD.format(n=3) + ", upper: true)", {"x": BATCH}),
        ("cholesky_sym", "torch.linalg.cholesky(x)", "cholesky(x)", {"x": ("f64", [[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 5.0]])}),
        ("cholesky_sym_upper", "torch.linalg.cholesky(x, upper=True)", "cholesky(x, upper: true)", {"x": ("f64", [[4.0, 1.0], [1.0, 3.0]])}),
        ("cholesky_one", "torch.linalg.cholesky(x)", "cholesky(x)", {"x": ("f64", [[4.0]])}),
        ("cholesky_empty", "torch.linalg.cholesky(x)", "cholesky(x)", {"x": "f64[0,0]"}),
        *[(f"qr_{name}", "torch.linalg.qr(x)", "qr(x)", {"x": x}) for name, x in (("square", SQUARE), ("tall", TALL), ("wide", WIDE), ("batch", "f64[2,4,2]"))],
        ("qr_f32", "torch.linalg.qr(x)", "qr(x)", {"x": "f32[4,3]"}),
        ("qr_complete", "torch.linalg.qr(x, mode='complete')", 'qr(x, mode: "complete")', {"x": TALL}, PLAIN),
        ("qr_complete_wide", "torch.linalg.qr(x, mode='complete')", 'qr(x, mode: "complete")', {"x": WIDE}),
        ("qr_r", "torch.linalg.qr(x, mode='r')[1]", 'qr(x, mode: "r")[1]', {"x": TALL}, PLAIN),
        ("qr_no_columns", "torch.linalg.qr(x)", "qr(x)", {"x": "f64[3,0]"}),
        *[(f"svdvals_{name}", "torch.linalg.svdvals(x)", "svdvals(x)", {"x": x}) for name, x in (("square", "f64[3,3]"), ("wide", WIDE), ("batch", "f64[2,4,2]"), ("f32", "f32[3,2]"))],
        ("svdvals_deficient", "torch.linalg.svdvals(x)", "svdvals(x)", {"x": RANK_ONE}, PLAIN),
        *[
            (
                f"svd_{name}{'_full' if full else ''}",
                f"u, s, vh = torch.linalg.svd(x, full_matrices={full})\nn = s.shape[-1]\n((u[..., :n] * s.unsqueeze(-2) ** 2) @ vh[..., :n, :], u[..., :n] @ vh[..., :n, :], u.shape[-1] * s)",
                f"((v) => ((v[0][..., :{n}] * unsqueeze(v[1], -2) ** 2) @ v[2][..., :{n}, :], v[0][..., :{n}] @ v[2][..., :{n}, :], size(v[0], -1) * v[1]))(svd(x, full_matrices: {str(full).lower()}))",
                {"x": x},
            )
            for name, x, n in (("square", "f64[3,3]", 3), ("tall", TALL, 3), ("wide", "f64[2,3]", 2), ("batch", "f64[2,3,2]", 2))
            for full in ((False,) if name == "square" else (True,) if name == "tall" else (False, True))
        ],
        *[(f"eigvalsh_{name}", f"torch.linalg.eigvalsh({SYM})", f"eigvalsh({SYM_TD})", {"x": x}) for name, x in (("square", SQUARE), ("batch", BATCH), ("f32", "f32[3,3]"), ("one", "f64[1,1]"))],
        ("eigvalsh_direct", "torch.linalg.eigvalsh(x)", "eigvalsh(x)", {"x": ("f64", [[2.0, 1.0, 0.5], [1.0, -3.0, 1.0], [0.5, 1.0, 1.0]])}),
        ("eigvalsh_triangle", "torch.linalg.eigvalsh(x, UPLO='U')", 'eigvalsh(x, UPLO: "U")', {"x": SQUARE}, PLAIN),
        ("eigvalsh_lower", "torch.linalg.eigvalsh(x)", "eigvalsh(x)", {"x": SQUARE}, PLAIN),
        ("eigvalsh_equal", "torch.linalg.eigvalsh(x)", "eigvalsh(x)", {"x": ("f64", [[1.0, 0.0], [0.0, 1.0]])}),
        *[
            (
                f"eigh_{name}",
                f"w, v = torch.linalg.eigh({SYM})\n((v * w.exp().unsqueeze(-2)) @ v.transpose(-1, -2), v.abs(), w)",
                f"((e) => ((e[1] * unsqueeze(exp(e[0]), -2)) @ transpose(e[1], -1, -2), abs(e[1]), e[0]))(eigh({SYM_TD}))",
                {"x": x},
            )
            for name, x in (("square", SQUARE), ("batch", BATCH))
        ],
    ],
    "measuring": [
        *[
            (f"matrix_{name}", f"torch.linalg.matrix_norm(x, {repr(o) if isinstance(o, str) else f'float({repr(str(o))})' if 'inf' in str(o) else o})", f"matrix_norm(x, {chr(34) + o + chr(34) if isinstance(o, str) else o})", {"x": "f64[2,3,4]"})
            for name, o in (("fro", "fro"), ("nuc", "nuc"), ("2", 2), ("minus_2", -2), ("1", 1), ("minus_1", -1), ("inf", float("inf")), ("minus_inf", float("-inf")))
        ],
        ("matrix_dims", "torch.linalg.matrix_norm(x, 'nuc', dim=(0, 2), keepdim=True)", 'matrix_norm(x, "nuc", dim: [0, 2], keepdim: true)', {"x": "f64[2,3,4]"}),
        *[(f"vector_{str(o).replace('-', 'minus_').replace('.', '_')}", f"torch.linalg.vector_norm(x, {o})", f"vector_norm(x, {o})", {"x": "f64[3,4]"}) for o in (2, 0.5)],
        ("vector_dim", "torch.linalg.vector_norm(x, 3, dim=1, keepdim=True)", "vector_norm(x, 3, dim: 1, keepdim: true)", {"x": "f64[3,4]"}),
    ],
}
