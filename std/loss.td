tdsl 1
# Losses, with PyTorch's names, parameters and reductions.
#
# Input and target have the same shape: a silent broadcast of [n, 1] against [n] is the classic mistake.

fn _check_reduction(reduction: string) {
  check_word(reduction, ["mean", "sum", "none"], "reduction is \"mean\", \"sum\" or \"none\"")
}

## Applies `reduction` to elementwise losses: `"mean"`, `"sum"` or `"none"`.
fn _reduce[T: float](loss: T[*S], reduction: string) -> tensor {
  _check_reduction(reduction)
  if reduction == "mean" { mean(loss) } else if reduction == "sum" { sum(loss) } else { loss }
}

## The axis of the classes: 1, or 0 for a single sample without a batch axis.
fn _class_axis(input: tensor) -> int = if ndim(input) == 1 { 0 } else { 1 }

## Checks that there is one class index for each prediction: the target has the shape of the input without its axis of classes.
fn _check_classes(name: string, input: tensor, target: tensor, weight: tensor?, axis: int) {
  let sizes = input.shape
  let wanted = sizes[:axis] + sizes[axis + 1:]
  check_sizes(
    target.shape,
    wanted,
    name +
      ": predictions of shape " +
      sizes +
      " need class indices of shape " +
      wanted +
      ", not " +
      target.shape,
  )
  if weight != none {
    check_sizes(
      weight.shape,
      [sizes[axis]],
      name +
        ": the weight of shape " +
        weight.shape +
        " does not have one number for each of the " +
        sizes[axis] +
        " classes",
    )
  }
}

## Mean squared error.
fn mse_loss[T: float](input: T[*S], target: T[*S], reduction: string = "mean") -> tensor {
  let d = input - target
  _reduce(d * d, reduction)
}

## Mean absolute error; the derivative at equality is 0.
fn l1_loss[T: float](input: T[*S], target: T[*S], reduction: string = "mean") -> tensor =
  _reduce(abs(input - target), reduction)

## Quadratic within `beta` of the target, linear outside; `beta: 0` is the L1 loss.
fn smooth_l1_loss[T: float](
  input: T[*S],
  target: T[*S],
  reduction: string = "mean",
  beta: float = 1.0,
) -> tensor {
  check_least(beta, 0, "smooth_l1_loss: beta")
  let d = input - target
  let a = abs(d)
  if beta == 0.0 {
    _reduce(a, reduction)
  } else {
    _reduce(where(a < beta, 0.5 * d * d / beta, a - 0.5 * beta), reduction)
  }
}

## Quadratic within `delta` of the target, linear outside (Huber 1964).
fn huber_loss[T: float](
  input: T[*S],
  target: T[*S],
  reduction: string = "mean",
  delta: float = 1.0,
) -> tensor {
  assert(delta > 0, "huber_loss: delta is greater than 0, not " + delta)
  let d = input - target
  let a = abs(d)
  _reduce(where(a <= delta, 0.5 * d * d, delta * (a - 0.5 * delta)), reduction)
}

## Binary cross-entropy of probabilities; each logarithm is clamped at -100. The derivative at a wrong probability of exactly 0 or 1 is large, not 0.
fn binary_cross_entropy[T: float](
  input: T[*S],
  target: T[*S],
  weight: tensor? = none,
  reduction: string = "mean",
) -> tensor {
  assert_known(
    input >= 0 && input <= 1,
    "binary_cross_entropy takes probabilities between 0 and 1",
    of: input,
  )
  let loss = _cross_entropy_of_two(input, target)
  _reduce(if weight == none { loss } else { weight * loss }, reduction)
}

# The derivative is that of the logarithms without their bounds, with a large number where it is infinite, as in PyTorch: at a
# probability of exactly 0 or 1 it points away from there.
fn _cross_entropy_of_two[T: float](input: T[*S], target: T[*S]) -> T[*S] =
  -(target * _bounded(log(input)) + (1 - target) * _bounded(log1p(-input)))
  derivative (dinput, dtarget) => {
    let slope = (input - target) / clamp(input * (1 - input), min: 1e-12)
    slope * dinput + (_bounded(log1p(-input)) - _bounded(log(input))) * dtarget
  }

fn _bounded[T: float](input: T[*S]) -> T[*S] = clamp(input, min: -100)

## Binary cross-entropy of logits, without overflow. `pos_weight` multiplies the loss of positive targets.
fn binary_cross_entropy_with_logits[T: float](
  input: T[*S],
  target: T[*S],
  weight: tensor? = none,
  reduction: string = "mean",
  pos_weight: tensor? = none,
) -> tensor {
  let positive = if pos_weight == none { 1 } else { 1 + (pos_weight - 1) * target }
  let loss = (1 - target) * input - positive * logsigmoid(input)
  _reduce(if weight == none { loss } else { weight * loss }, reduction)
}

## Negative log-likelihood of the class indices `target` under log-probabilities `input` (classes on axis 1). Targets equal to
## `ignore_index` count neither in the sum nor in the weighted mean.
fn nll_loss[T: float](
  input: T[*S],
  target: i64[*U],
  weight: tensor? = none,
  ignore_index: int = -100,
  reduction: string = "mean",
) -> tensor {
  _check_reduction(reduction)
  let axis = _class_axis(input)
  _check_classes("nll_loss", input, target, weight, axis)
  let kept = target != ignore_index
  let class = where(kept, target, 0)
  let log_probability = squeeze(gather(input, axis, unsqueeze(class, axis)), axis)
  let scale = cast(kept, input.dtype) * (if weight == none { 1 } else { weight[class] })
  let loss = where(kept, -log_probability * scale, 0)
  if reduction == "none" {
    loss
  } else if reduction == "sum" {
    sum(loss)
  } else {
    sum(loss) / sum(scale)
  }
}

## Cross-entropy of logits (classes on axis 1) against class indices, or against probabilities of the shape of `input`.
fn cross_entropy[T: float](
  input: T[*S],
  target: tensor,
  weight: tensor? = none,
  ignore_index: int = -100,
  reduction: string = "mean",
  label_smoothing: float = 0.0,
) -> tensor {
  _check_reduction(reduction)
  assert(
    label_smoothing >= 0.0 && label_smoothing <= 1.0,
    "cross_entropy: label_smoothing is between 0 and 1, not " + label_smoothing,
  )
  let axis = _class_axis(input)
  let classes = size(input, axis)
  let log_probability = log_softmax(input, axis)
  let by_class = if weight == none {
    none
  } else {
    reshape(weight, [-1] + [1 for i in (axis + 1)..ndim(input)])
  }
  let weighted = if weight == none { log_probability } else { log_probability * by_class }
  if is_floating_point(target) {
    check_sizes(
      target.shape,
      S,
      "cross_entropy: a float target of shape " +
        target.shape +
        " is not probabilities of the shape of the input, " +
        S +
        "; class indices are i64",
    )
    assert(ignore_index < 0, "cross_entropy: probabilities have no class to ignore")
    let smoothed = target * (1 - label_smoothing) + label_smoothing / classes
    let loss = -sum(weighted * smoothed, axis)
    if reduction == "none" {
      loss
    } else if reduction == "sum" {
      sum(loss)
    } else {
      sum(loss) * classes / numel(input)
    }
  } else {
    let hard = nll_loss(log_probability, target, weight, ignore_index, reduction)
    if label_smoothing == 0.0 {
      hard
    } else {
      let kept = target != ignore_index
      let smooth = where(kept, -sum(weighted, axis), 0)
      let scale =
        cast(kept, input.dtype) * (if weight == none { 1 } else { weight[where(kept, target, 0)] })
      let reduced = if reduction == "none" {
        smooth
      } else if reduction == "sum" {
        sum(smooth)
      } else {
        sum(smooth) / sum(scale)
      }
      (1 - label_smoothing) * hard + label_smoothing / classes * reduced
    }
  }
}

## Kullback-Leibler divergence of `target` from log-probabilities `input`; 0 where the target is 0. The gradient by a target of 0 is finite, `-input`, where it is NaN in PyTorch. `reduction` also `"batchmean"`.
fn kl_div[T: float](
  input: T[*S],
  target: T[*S],
  reduction: string = "mean",
  log_target: bool = false,
) -> tensor {
  let loss = if log_target {
    exp(target) * (target - input)
  } else {
    xlogy(target, target) - target * input
  }
  if reduction == "batchmean" { sum(loss) / size(input, 0) } else { _reduce(loss, reduction) }
}

## `log(1 + exp(-y x))` for targets y of 1 and -1.
fn soft_margin_loss[T: float, Y: number](
  input: T[*S],
  target: Y[*S],
  reduction: string = "mean",
) -> tensor = _reduce(log1p(exp(-target * input)), reduction)

## `x` for targets of 1 and `max(0, margin - x)` for targets of -1.
fn hinge_embedding_loss[T: float, Y: number](
  input: T[*S],
  target: Y[*S],
  margin: float = 1.0,
  reduction: string = "mean",
) -> tensor =
  _reduce(
    where(target == 1, input, 0) + where(target == -1, clamp(margin - input, min: 0), 0),
    reduction,
  )

## `max(0, -y (x1 - x2) + margin)`.
fn margin_ranking_loss[T: float, Y: number](
  input1: T[*S],
  input2: T[*S],
  target: Y[*S],
  margin: float = 0.0,
  reduction: string = "mean",
) -> tensor = _reduce(clamp(-target * (input1 - input2) + margin, min: 0), reduction)

## Cosine of the angle between slices along `dim`; norms below `eps` count as `eps`.
fn cosine_similarity[T: float](x1: T[*S], x2: T[*U], dim: int = 1, eps: float = 1e-8) -> tensor {
  let sizes = (x1 * x2).shape
  let (first, second) = (expand(x1, sizes), expand(x2, sizes))
  let length1 = norm(first, 2.0, dim, true)
  let length2 = norm(second, 2.0, dim, true)
  let divisor1 = length1 + stop_gradient(clamp(length1, min: eps) - length1)
  let divisor2 = length2 + stop_gradient(clamp(length2, min: eps) - length2)
  sum(first / divisor1 * (second / divisor2), dim)
}

## `1 - cos` for targets of 1, `max(0, cos - margin)` for targets of -1, over the last axis.
fn cosine_embedding_loss[T: float, Y: number](
  input1: T[*S, n],
  input2: T[*S, n],
  target: Y[*S],
  margin: float = 0.0,
  reduction: string = "mean",
) -> tensor {
  let eps = 1e-12
  let dot = sum(input1 * input2, -1)
  let cosine = dot / sqrt((sum(input1 * input1, -1) + eps) * (sum(input2 * input2, -1) + eps))
  _reduce(
    where(target == 1, 1 - cosine, 0) + where(target == -1, clamp(cosine - margin, min: 0), 0),
    reduction,
  )
}

## Negative log-likelihood of a Gaussian with mean `input` and variance `var`, which is clamped from below at `eps`. One variance may stand
## for all elements along the last axis, with that axis of size 1 or without it.
fn gaussian_nll_loss[T: float](
  input: T[*S],
  target: T[*S],
  var: T[*V],
  full: bool = false,
  eps: float = 1e-6,
  reduction: string = "mean",
) -> tensor {
  let shared = len(S) > 0 && len(V) == len(S) - 1
  let spread = if shared { unsqueeze(var, -1) } else { var }
  let sizes = spread.shape
  assert(
    sizes == S || (len(sizes) == len(S) && sizes == S[:-1] + [1]),
    "gaussian_nll_loss: var of shape " +
      V +
      " has neither the shape of the input, " +
      S +
      ", nor one number for its last axis",
  )
  assert_known(spread >= 0, "gaussian_nll_loss: a variance is negative", of: spread)
  let variance = spread + stop_gradient(clamp(spread, min: eps) - spread)
  let d = input - target
  let loss = 0.5 * (log(variance) + d * d / variance)
  _reduce(if full { loss + 0.9189385332046727 } else { loss }, reduction)
}

## Negative log-likelihood of a Poisson distribution, without the constant unless `full` (then by Stirling's formula for targets above 1).
fn poisson_nll_loss[T: float](
  input: T[*S],
  target: T[*S],
  log_input: bool = true,
  full: bool = false,
  eps: float = 1e-8,
  reduction: string = "mean",
) -> tensor {
  let loss = if log_input { exp(input) - target * input } else { input - target * log(input + eps) }
  let counted = where(target > 1, target, 1)
  let stirling = counted * log(counted) - counted + 0.5 * log(2 * 3.141592653589793 * counted)
  _reduce(if full { loss + where(target > 1, stirling, 0) } else { loss }, reduction)
}

## Hinge loss of multi-class scores [N, C] or [C] against class indices [N] or one, margin to the power `p` (1 or 2).
fn multi_margin_loss[T: float](
  input: T[*S, C],
  target: i64[*S],
  p: int = 1,
  margin: float = 1.0,
  weight: T[C]? = none,
  reduction: string = "mean",
) -> tensor {
  assert(p == 1 || p == 2, "multi_margin_loss: p is 1 or 2, not " + p)
  let correct = gather(input, -1, unsqueeze(target, -1))
  let gap = clamp(margin - correct + input, min: 0)
  let powered = if p == 1 { gap } else { gap * gap }
  let scaled = if weight == none { powered } else { powered * unsqueeze(weight[target], -1) }
  let others = where(arange(end: C) == unsqueeze(target, -1), 0, scaled)
  _reduce(sum(others, -1) / C, reduction)
}

## `max(0, d(a, p) - d(a, n) + margin)` with d the p-norm distance over the last axis; `swap` takes the closer of anchor and positive.
fn triplet_margin_loss[T: float](
  anchor: T[*S, n],
  positive: T[*S, n],
  negative: T[*S, n],
  margin: float = 1.0,
  p: float = 2.0,
  eps: float = 1e-6,
  swap: bool = false,
  reduction: string = "mean",
) -> tensor {
  let near = norm(anchor - positive + eps, p, -1)
  let far = norm(anchor - negative + eps, p, -1)
  let apart = if swap { minimum(far, norm(positive - negative + eps, p, -1)) } else { far }
  _reduce(clamp(near - apart + margin, min: 0), reduction)
}

## The p-norm distances of all pairs of rows of `x1` [..., n, d] and `x2` [..., m, d]: [..., n, m].
fn cdist[T: float](x1: T[*S, _, d], x2: T[*U, _, d], p: float = 2.0) -> tensor {
  check_least(p, 0, "cdist: p")
  norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)
}

## The p-norm of `x1 - x2 + eps` over the last axis.
fn pairwise_distance[T: float](
  x1: T[*S],
  x2: T[*U],
  p: float = 2.0,
  eps: float = 1e-6,
  keepdim: bool = false,
) -> tensor = norm(x1 - x2 + eps, p, -1, keepdim)
