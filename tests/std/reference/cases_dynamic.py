"""Results whose size depends on the data: exact where the data are known, and bounded."""
X = {"x": "f32[3,4]"}
TIES = {"x": ("f32", [[3.0, 0.0, 1.0], [0.0, 3.0, 2.0]])}
IDS = {"x": ("i64", [3, 1, 1, 0, 5])}
PAD = "F.pad({0}, (0, {1}))"

groups = {
    "finding": [
        ("select", "torch.masked_select(x, x > 0)", "masked_select(x, x > 0)", X),
        ("select_row", "torch.masked_select(x, x[0] > 0)", "masked_select(x, x[0] > 0)", X),
        ("select_sum", "(x[x > 0] ** 2).mean()", "mean(x[x > 0] ** 2)", X),
        ("select_bounded", "y = x[x > 1]\n(F.pad(y, (0, 6 - y.numel())), torch.tensor(y.numel()))", "masked_select(x, x > 1, size: 6)", TIES),
        ("select_short", "(x[x > 0][:2], (x > 0).sum())", "masked_select(x, x > 0, size: 2)", TIES),
        ("rows", "x[x[:, 0] > 1]", "x[x[:, 0] > 1]", TIES),
        ("nonzero", "torch.nonzero(x)", "nonzero(x)", TIES),
        ("nonzero_3d", "torch.nonzero(x)", "nonzero(x)", {"x": "i64[2,3,2] -1 1"}),
        ("nonzero_bounded", "y = torch.nonzero(x)\n(torch.cat([y, -torch.ones(1, 2, dtype=torch.int64)]), torch.tensor(4))", "nonzero(x, size: 5, fill_value: -1)", TIES),
        ("nonzero_tuple_bounded", "a, b = torch.nonzero(x, as_tuple=True)\n(a[:3], b[:3], torch.tensor(4))", "((r) => (r[0][0], r[0][1], r[1]))(nonzero(x, as_tuple: true, size: 3))", TIES),
        ("unique", "torch.unique(x)", "unique(x)", TIES, {"grad": False}),
        ("unique_all", "torch.unique(x, return_inverse=True, return_counts=True)", "unique(x, return_inverse: true, return_counts: true)", IDS),
        ("unique_inverse", "torch.unique(x, return_inverse=True)", "unique(x, return_inverse: true)", {"x": "i64[2,3] 0 3"}),
        ("unique_counts", "torch.unique(x, return_counts=True)", "unique(x, return_counts: true)", {"x": "i32[7] 0 3"}),
        ("unique_bounded", "u, i, c = torch.unique(x, return_inverse=True, return_counts=True)\n(F.pad(u, (0, 2)), i, F.pad(c, (0, 2)), torch.tensor(4))", "unique(x, return_inverse: true, return_counts: true, size: 6)", IDS),
        ("bincount", "torch.bincount(x)", "bincount(x)", IDS),
        ("bincount_minlength", "torch.bincount(x, minlength=8)", "bincount(x, minlength: 8)", IDS),
        ("bincount_weights", "torch.bincount(x, w)", "bincount(x, w)", {**IDS, "w": "f32[5]"}, {"grad": False}),
        ("bincount_weights_f64", "torch.bincount(x, w)", "bincount(x, w)", {**IDS, "w": "f64[5]"}, {"grad": False}),
        ("bincount_bounded", "torch.bincount(x)[:4]", "bincount(x, size: 4)", IDS),
        ("bincount_empty", "torch.bincount(x, minlength=2)", "bincount(x, minlength: 2)", {"x": ("i64", [])}),
    ],
}
