"""Steps of optimizers and learning-rate schedules: `stepping.td` and `scheduling.td` hold the programs, which these tables write."""

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

# Name, PyTorch's schedule, its arguments, the arguments in the language where they differ.
SCHEDULES = [
    ("step", "StepLR", "step_size=2, gamma=0.5"),
    ("multi_step", "MultiStepLR", "milestones=[1, 3, 3, 6]"),
    ("exponential", "ExponentialLR", "gamma=0.9"),
    ("lambda", "LambdaLR", "lr_lambda=lambda epoch: 0.9 ** epoch / (1 + epoch)", "e => 0.9 ** e / (1 + e)"),
    ("linear", "LinearLR", "total_iters=4"),
    ("linear_down", "LinearLR", "start_factor=1.0, end_factor=0.2, total_iters=6"),
    ("polynomial", "PolynomialLR", "total_iters=4, power=2.0"),
    ("cosine", "CosineAnnealingLR", "T_max=4"),
    ("cosine_min", "CosineAnnealingLR", "T_max=3, eta_min=0.1"),
]
METRICS = [5.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.5, 3.6, 2.99999, 3.0, 3.0]
PLATEAUS = [
    ("plateau", "factor=0.5, patience=1"),
    ("plateau_cooldown", "factor=0.5, patience=0, cooldown=2"),
    ("plateau_max", "mode='max', factor=0.3, patience=1, threshold=0.1, threshold_mode='abs', min_lr=0.2"),
    ("plateau_eps", "factor=0.9, patience=0, eps=0.2"),
]
EPOCHS = 10


def schedule_source(schedule, arguments, metrics=None):
    steps = f"[schedule.step(m) or opt.param_groups[0]['lr'] for m in {metrics}]" if metrics else (
        f"[rate for rate, _ in ((opt.param_groups[0]['lr'], (opt.step(), schedule.step())) for _ in range({EPOCHS}))]"
    )
    return f"""opt = torch.optim.SGD([torch.zeros(1).requires_grad_(True)], lr=1.0)
schedule = torch.optim.lr_scheduler.{schedule}(opt, {arguments})
torch.tensor({steps}, dtype=torch.float64)"""


def spelled(arguments):
    return arguments.replace("=", ": ").replace("'", '"')


def schedule_program(name, schedule, arguments, given=None):
    start = "\n  schedule.start(opt)" if schedule in ("LinearLR", "LambdaLR") else ""
    return f"""
fn scheduling_{name}(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut {schedule}(opt, {given or spelled(arguments)})) -> f64[{EPOCHS}] {{
  let rates = []{start}
  for epoch in 0..{EPOCHS} {{
    rates = rates + [opt.lr]
    schedule.step(opt)
  }}
  stack(rates)
}}
"""


def plateau_program(name, arguments):
    return f"""
fn scheduling_{name}(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut ReduceLROnPlateau(opt, {spelled(arguments)})) -> f64[{len(METRICS)}] {{
  let rates = []
  for metric in {METRICS} {{
    schedule.step(opt, metric)
    rates = rates + [opt.lr]
  }}
  stack(rates)
}}
"""


SCHEDULING = f"""tdsl 1
# Programs of the reference cases of learning-rate schedules, written by cases_optimizers.py: the rate of each epoch.
import std.optim {{ SGD }}
import std.schedule {{ {", ".join(sorted({row[1] for row in SCHEDULES} | {"ReduceLROnPlateau"}))} }}

model Point {{ param w: f32[1] = zeros }}
"""

NO_GRADIENT = {"grad": False}
groups = {
    "stepping": [(name, source(o, a), None, INPUTS, NO_GRADIENT) for name, o, a in OPTIMIZERS],
    "scheduling": [(name, schedule_source(s, a), None, {}, NO_GRADIENT) for name, s, a, *_ in SCHEDULES]
    + [(name, schedule_source("ReduceLROnPlateau", a, METRICS), None, {}, NO_GRADIENT) for name, a in PLATEAUS],
}
programs = {
    "stepping.td": HEAD + "".join(program(*row) for row in OPTIMIZERS),
    "scheduling.td": SCHEDULING + "".join(schedule_program(*row) for row in SCHEDULES) + "".join(plateau_program(*row) for row in PLATEAUS),
}
