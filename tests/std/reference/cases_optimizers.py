"""Steps of optimizers: `stepping.td` holds the programs, which this table writes."""

# Name, PyTorch's optimizer and its arguments. The language spells them the same way.
OPTIMIZERS = [
    ("sgd", "SGD", "lr=0.1"),
    ("sgd_momentum", "SGD", "lr=0.1, momentum=0.9"),
    ("sgd_dampening", "SGD", "lr=0.1, momentum=0.8, dampening=0.3"),
    ("sgd_nesterov", "SGD", "lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1"),
    ("sgd_maximize", "SGD", "lr=0.01, momentum=0.5, maximize=True"),
    ("adam", "Adam", "lr=0.1"),
    ("adam_all", "Adam", "lr=0.05, betas=[0.8, 0.95], eps=0.001, weight_decay=0.1, amsgrad=True"),
    ("adam_maximize", "Adam", "lr=0.05, maximize=True"),
    ("adamw", "AdamW", "lr=0.1"),
    ("adamw_all", "AdamW", "lr=0.1, weight_decay=0.3, amsgrad=True, maximize=True"),
    ("adamax", "Adamax", "lr=0.1"),
    ("adamax_all", "Adamax", "lr=0.05, betas=[0.7, 0.9], weight_decay=0.2, maximize=True"),
    ("nadam", "NAdam", "lr=0.1, weight_decay=0.1, momentum_decay=0.1"),
    ("rmsprop", "RMSprop", "lr=0.05"),
    ("rmsprop_all", "RMSprop", "lr=0.02, alpha=0.8, eps=0.01, weight_decay=0.1, momentum=0.5, centered=True, maximize=True"),
    ("adagrad", "Adagrad", "lr=0.3"),
    ("adagrad_all", "Adagrad", "lr=0.3, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5, eps=0.01, maximize=True"),
    ("adadelta", "Adadelta", "lr=1.0"),
    ("adadelta_all", "Adadelta", "lr=0.7, rho=0.8, eps=0.001, weight_decay=0.1, maximize=True"),
]
STEPS = 6
INPUTS = {"A": "f32[3,2]", "y": "f32[3]", "w0": "f32[2]", "b0": "f32[3]"}


def source(optimizer, arguments):
    arguments = arguments.replace("[", "(").replace("]", ")")
    return f"""w, b = w0.clone().requires_grad_(True), b0.clone().requires_grad_(True)
opt = torch.optim.{optimizer}([w, b], {arguments})
ws, bs, ls = [], [], []
for t in range({STEPS}):
    opt.zero_grad()
    loss = 0.5 * ((A @ w + b - y) ** 2).sum()
    loss.backward()
    opt.step()
    ws.append(w.detach().clone()); bs.append(b.detach().clone()); ls.append(loss.detach())
(torch.stack(ws), torch.stack(bs), torch.stack(ls))"""


def program(name, optimizer, arguments):
    arguments = arguments.replace("=", ": ").replace("True", "true")
    return f"""
fn stepping_{name}(A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3], net: mut Affine, opt: mut {optimizer}(net, {arguments})) =
  descend(net, opt, A, y, w0, b0)
"""


HEAD = f"""tdsl 1
# Programs of the reference cases of optimizers, written by cases_optimizers.py: {STEPS} steps down a quadratic from a given point.
import std.optim {{ {", ".join(sorted({optimizer for _, optimizer, _ in OPTIMIZERS}))} }}

model Affine {{
  param w: f32[2] = zeros
  param b: f32[3] = zeros
}}

fn quadratic(net: Affine, A: f32[3, 2], y: f32[3]) -> f32 = 0.5 * sum((A @ net.w + net.b - y) ** 2)

fn descend[O: model](net: mut Affine, opt: mut O, A: f32[3, 2], y: f32[3], w0: f32[2], b0: f32[3]) {{
  net.w = w0
  net.b = b0
  let (ws, bs, losses) = ([], [], [])
  for step in 0..{STEPS} {{
    let (l, g) = value_and_grad(quadratic, wrt: net)(net, A, y)
    opt.step(net, g)
    ws = ws + [net.w]
    bs = bs + [net.b]
    losses = losses + [l]
  }}
  (stack(ws), stack(bs), stack(losses))
}}
"""

groups = {"stepping": [(name, source(o, a), None, INPUTS, {"grad": False}) for name, o, a in OPTIMIZERS]}
programs = {"stepping.td": HEAD + "".join(program(*row) for row in OPTIMIZERS)}
