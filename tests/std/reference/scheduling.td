tdsl 1
# Programs of the reference cases of learning-rate schedules, written by cases_optimizers.py: the rate of each epoch.
import std.optim { SGD }
import std.schedule { CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, PolynomialLR, ReduceLROnPlateau, StepLR }

model Point { param w: f32[1] = zeros }

fn scheduling_step(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut StepLR(opt, step_size: 2, gamma: 0.5)) -> f64[10] {
  let rates = []
  for epoch in 0..10 {
    rates = rates + [opt.lr]
    schedule.step(opt)
  }
  stack(rates)
}

fn scheduling_multi_step(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut MultiStepLR(opt, milestones: [1, 3, 3, 6])) -> f64[10] {
  let rates = []
  for epoch in 0..10 {
    rates = rates + [opt.lr]
    schedule.step(opt)
  }
  stack(rates)
}

fn scheduling_exponential(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut ExponentialLR(opt, gamma: 0.9)) -> f64[10] {
  let rates = []
  for epoch in 0..10 {
    rates = rates + [opt.lr]
    schedule.step(opt)
  }
  stack(rates)
}

fn scheduling_lambda(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut LambdaLR(opt, e => 0.9 ** e / (1 + e))) -> f64[10] {
  let rates = []
  schedule.start(opt)
  for epoch in 0..10 {
    rates = rates + [opt.lr]
    schedule.step(opt)
  }
  stack(rates)
}

fn scheduling_linear(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut LinearLR(opt, total_iters: 4)) -> f64[10] {
  let rates = []
  schedule.start(opt)
  for epoch in 0..10 {
    rates = rates + [opt.lr]
    schedule.step(opt)
  }
  stack(rates)
}

fn scheduling_linear_down(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut LinearLR(opt, start_factor: 1.0, end_factor: 0.2, total_iters: 6)) -> f64[10] {
  let rates = []
  schedule.start(opt)
  for epoch in 0..10 {
    rates = rates + [opt.lr]
    schedule.step(opt)
  }
  stack(rates)
}

fn scheduling_polynomial(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut PolynomialLR(opt, total_iters: 4, power: 2.0)) -> f64[10] {
  let rates = []
  for epoch in 0..10 {
    rates = rates + [opt.lr]
    schedule.step(opt)
  }
  stack(rates)
}

fn scheduling_cosine(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut CosineAnnealingLR(opt, T_max: 4)) -> f64[10] {
  let rates = []
  for epoch in 0..10 {
    rates = rates + [opt.lr]
    schedule.step(opt)
  }
  stack(rates)
}

fn scheduling_cosine_min(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut CosineAnnealingLR(opt, T_max: 3, eta_min: 0.1)) -> f64[10] {
  let rates = []
  for epoch in 0..10 {
    rates = rates + [opt.lr]
    schedule.step(opt)
  }
  stack(rates)
}

fn scheduling_plateau(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut ReduceLROnPlateau(opt, factor: 0.5, patience: 1)) -> f64[12] {
  let rates = []
  for metric in [5.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.5, 3.6, 2.99999, 3.0, 3.0] {
    schedule.step(opt, metric)
    rates = rates + [opt.lr]
  }
  stack(rates)
}

fn scheduling_plateau_cooldown(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut ReduceLROnPlateau(opt, factor: 0.5, patience: 0, cooldown: 2)) -> f64[12] {
  let rates = []
  for metric in [5.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.5, 3.6, 2.99999, 3.0, 3.0] {
    schedule.step(opt, metric)
    rates = rates + [opt.lr]
  }
  stack(rates)
}

fn scheduling_plateau_max(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut ReduceLROnPlateau(opt, mode: "max", factor: 0.3, patience: 1, threshold: 0.1, threshold_mode: "abs", min_lr: 0.2)) -> f64[12] {
  let rates = []
  for metric in [5.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.5, 3.6, 2.99999, 3.0, 3.0] {
    schedule.step(opt, metric)
    rates = rates + [opt.lr]
  }
  stack(rates)
}

fn scheduling_plateau_eps(net: Point, opt: mut SGD(net, lr: 1.0), schedule: mut ReduceLROnPlateau(opt, factor: 0.9, patience: 0, eps: 0.2)) -> f64[12] {
  let rates = []
  for metric in [5.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.5, 3.6, 2.99999, 3.0, 3.0] {
    schedule.step(opt, metric)
    rates = rates + [opt.lr]
  }
  stack(rates)
}
