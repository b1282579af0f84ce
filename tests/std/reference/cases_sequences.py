"""Recurrent networks and attention."""


def weights(gates, inputs, hidden, layers=1, directions=1):
    """The weights of all layers by name, in PyTorch's order."""
    specs = {}
    for layer in range(layers):
        for d in range(directions):
            n = hidden * directions if layer > 0 else inputs
            k = f"{layer}{d}"
            specs |= {f"wi{k}": f"f32[{gates * hidden},{n}] -1 1", f"wh{k}": f"f32[{gates * hidden},{hidden}] -1 1"}
            specs |= {f"bi{k}": f"f32[{gates * hidden}] -1 1", f"bh{k}": f"f32[{gates * hidden}] -1 1"}
    return specs


def network(name, kind, gates, shape, hidden, layers=1, bi=False, first=False, nonlinearity=None):
    """A recurrent network over the whole sequence."""
    directions = 2 if bi else 1
    specs = weights(gates, shape[-1], hidden, layers, directions)
    batch = shape[0] if first else shape[-2]
    state = f"f32[{layers * directions},{batch},{hidden}]" if len(shape) == 3 else f"f32[{layers * directions},{hidden}]"
    inputs = {"x": f"f32[{','.join(map(str, shape))}]", "h": state, **({"c": state} if kind == "lstm" else {}), **specs}
    vf = {"rnn": f"rnn_{nonlinearity or 'tanh'}"}.get(kind, kind)
    unbatched = len(shape) == 2
    x = "x.unsqueeze(1)" if unbatched else "x"
    h, c = ("h.unsqueeze(1)", "c.unsqueeze(1)") if unbatched else ("h", "c")
    states = f"({h}, {c})" if kind == "lstm" else h
    run = f"torch._VF.{vf}({x}, {states}, [{', '.join(specs)}], True, {layers}, 0.0, False, {bi}, {first})"
    source = f"[t.squeeze(1) for t in {run}]" if unbatched else run
    extra = f', nonlinearity: "{nonlinearity}"' if nonlinearity else ""
    given = "h, c" if kind == "lstm" else "h"
    flags = f"num_layers: {layers}, batch_first: {str(first).lower()}, bidirectional: {str(bi).lower()}"
    return (name, source, f"{kind}(x, {given}, ({', '.join(specs)}), {flags}{extra})", inputs)


def cell(name, kind, gates):
    states = "(h, c)" if kind == "lstm" else "h"
    torch_name = "rnn_tanh_cell" if kind == "rnn" else f"{kind}_cell"
    inputs = {"x": "f32[2,3]", "h": "f32[2,4]", **({"c": "f32[2,4]"} if kind == "lstm" else {})}
    inputs |= {"wi": f"f32[{gates * 4},3]", "wh": f"f32[{gates * 4},4]", "bi": f"f32[{gates * 4}]", "bh": f"f32[{gates * 4}]"}
    given = "h, c" if kind == "lstm" else "h"
    return (name, f"torch._VF.{torch_name}(x, {states}, wi, wh, bi, bh)", f"{kind}_cell(x, {given}, wi, wh, bi, bh)", inputs)


PROJECTIONS = {"wi": "f32[12,4] -1 1", "bi": "f32[12]", "wo": "f32[4,4] -1 1", "bo": "f32[4]"}


def attention(name, query, keys, torch_extra="", extra="", heads=2, options=None, more=None):
    inputs = {"q": f"f32[{query}]", "k": f"f32[{keys}]", "v": f"f32[{keys}]", **PROJECTIONS, **(more or {})}
    source = f"F.multi_head_attention_forward(q, k, v, 4, {heads}, wi, bi, None, None, False, 0.0, wo, bo, training=False{torch_extra})"
    return (name, source, f"multi_head_attention(q, k, v, wi, bi, wo, bo, num_heads: {heads}{extra})", inputs, options or {})


# PyTorch has the function from 2.0 on; its documentation states this formula.
def scaled(name, shapes, extra="", hidden="scores", more=None, scale="q.size(-1) ** -0.5"):
    inputs = {**{name: f"f32[{shape}]" for name, shape in zip("qkv", shapes)}, **(more or {})}
    masked = hidden.replace("scores", f"(q @ k.transpose(-2, -1) * {scale})")
    return (name, f"torch.softmax({masked}, -1) @ v", f"scaled_dot_product_attention(q, k, v{extra})", inputs)


CAUSAL = "scores.masked_fill(torch.ones(q.size(-2), k.size(-2), dtype=torch.bool).tril().logical_not(), -math.inf)"

groups = {
    "recurring": [
        cell("rnn_cell", "rnn", 1),
        cell("gru_cell", "gru", 3),
        cell("lstm_cell", "lstm", 4),
        network("rnn", "rnn", 1, [3, 2, 3], 4),
        network("rnn_relu", "rnn", 1, [3, 2, 3], 2, nonlinearity="relu"),
        network("rnn_two", "rnn", 1, [3, 2, 3], 2, layers=2, bi=True),
        network("rnn_unbatched", "rnn", 1, [3, 2], 2),
        network("gru", "gru", 3, [3, 2, 3], 2),
        network("gru_first_two", "gru", 3, [2, 3, 3], 2, layers=2, first=True),
        network("gru_both", "gru", 3, [2, 1, 2], 2, bi=True),
        network("lstm", "lstm", 4, [3, 2, 3], 2),
        network("lstm_both_two", "lstm", 4, [2, 2, 2], 2, layers=2, bi=True),
        network("lstm_first", "lstm", 4, [2, 3, 2], 2, first=True),
        network("lstm_unbatched", "lstm", 4, [3, 2], 2),
    ],
    "attending": [
        scaled("scaled", ["2,3,4,5", "2,3,6,5", "2,3,6,2"]),
        scaled("scaled_shared_keys", ["2,4,5", "6,5", "6,3"]),
        scaled("scaled_causal", ["2,4,3", "2,6,3", "2,6,3"], ", is_causal: true", CAUSAL),
        scaled("scaled_causal_tall", ["2,5,3", "2,3,3", "2,3,3"], ", is_causal: true", CAUSAL),
        scaled("scaled_float_mask", ["2,3,4", "2,5,4", "2,5,4"], ", attn_mask: m", "scores + m", more={"m": "f32[3,5]"}),
        scaled("scaled_bool_mask", ["2,3,4", "2,5,4", "2,5,4"], ", attn_mask: m > -0.5", "scores.masked_fill(m <= -0.5, -math.inf)", more={"m": "f32[2,3,5]"}),
        scaled("scaled_by", ["3,4", "5,4", "5,4"], ", scale: 0.25", scale="0.25"),
        attention("self", "3,2,4", "3,2,4"),
        attention("cross", "2,2,4", "3,2,4"),
        attention("one_head", "2,1,4", "3,1,4", heads=1),
        attention("float_mask", "2,2,4", "3,2,4", ", attn_mask=m", ", attn_mask: m", more={"m": "f32[2,3]"}),
        attention("bool_mask", "2,2,4", "3,2,4", ", attn_mask=m", ", attn_mask: m", more={"m": ("bool", [[False, True, False], [True, False, False]])}),
        attention("head_mask", "2,1,4", "2,1,4", ", attn_mask=m", ", attn_mask: m", more={"m": "f32[2,2,2]"}),
        attention("padding", "2,2,4", "3,2,4", ", key_padding_mask=p", ", key_padding_mask: p", more={"p": ("bool", [[False, False, True], [False, True, False]])}),
    ],
}
