tdsl 1
# Layers that normalise and regularise, further activations and distances, which `std.nn` gives as well.

## Normalisation of each channel of each sample (Ulyanov et al. 2016). With `track_running_stats` it keeps running statistics in
## training and uses them in evaluation.
model InstanceNorm(
  num_features: int,
  eps: float = 1e-5,
  momentum: float = 0.1,
  affine: bool = false,
  track_running_stats: bool = false,
) {
  if affine {
    param weight: real[num_features] = ones
    param bias: real[num_features] = zeros
  }
  if track_running_stats {
    buffer running_mean: real[num_features] = zeros
    buffer running_var: real[num_features] = ones
    buffer num_batches_tracked: i64 = 0
  }

  fn forward(x: tensor) -> tensor {
    let w = if affine { weight } else { none }
    let b = if affine { bias } else { none }
    if track_running_stats && training {
      # The statistics of the samples, averaged over the batch; the running variance is the unbiased one.
      let axes = [i for i in 2..ndim(x)]
      let (spread, centre) = var_mean(no_grad { x }, axes)
      running_mean = (1 - momentum) * running_mean + momentum * mean(centre, 0)
      running_var = (1 - momentum) * running_var + momentum * mean(spread, 0)
    }
    if track_running_stats && !training {
      instance_norm(x, running_mean, running_var, w, b, false, momentum, eps)
    } else {
      instance_norm(x, none, none, w, b, true, momentum, eps)
    }
  }

  fn extra_repr() -> string =
    repr(num_features) +
      ", eps=" +
      repr(eps) +
      ", momentum=" +
      repr(momentum) +
      ", affine=" +
      repr(affine) +
      ", track_running_stats=" +
      repr(track_running_stats)
}

## Instance normalisation of [N, C, L].
let InstanceNorm1d = InstanceNorm

## Instance normalisation of [N, C, H, W].
let InstanceNorm2d = InstanceNorm

## Instance normalisation of [N, C, D, H, W].
let InstanceNorm3d = InstanceNorm

## Normalisation over neighbouring channels (Krizhevsky et al. 2012).
model LocalResponseNorm(size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) {
  fn forward(x: tensor) -> tensor = local_response_norm(x, size, alpha, beta, k)

  fn extra_repr() -> string =
    repr(size) + ", alpha=" + repr(alpha) + ", beta=" + repr(beta) + ", k=" + repr(k)
}

## Dropout of whole channels of [N, C, L].
model Dropout1d(p: float = 0.5) {
  let rate = checked_probability(p)
  fn forward(x: tensor) -> tensor = dropout1d(x, rate, training)

  fn extra_repr() -> string = "p=" + repr(p) + ", inplace=False"
}

## Dropout of whole channels of [N, C, D, H, W].
model Dropout3d(p: float = 0.5) {
  let rate = checked_probability(p)
  fn forward(x: tensor) -> tensor = dropout3d(x, rate, training)

  fn extra_repr() -> string = "p=" + repr(p) + ", inplace=False"
}

## Dropout that keeps mean and variance of what `selu` gives.
model AlphaDropout(p: float = 0.5) {
  let rate = checked_probability(p)
  fn forward(x: tensor) -> tensor = alpha_dropout(x, rate, training)

  fn extra_repr() -> string = "p=" + repr(p) + ", inplace=False"
}

## The `"sum"`, `"mean"` or `"max"` of the rows of a bag of indices: `bags(indices, offsets)`, or `bags(indices)` of a matrix.
model EmbeddingBag(num_embeddings: int, embedding_dim: int, mode: string = "mean") {
  param weight: real[num_embeddings, embedding_dim] = randn
  fn forward(input: tensor, offsets: tensor? = none) -> tensor =
    embedding_bag(input, weight, offsets, mode)

  fn extra_repr() -> string = repr(num_embeddings) + ", " + repr(embedding_dim) + ", mode=" + mode
}

## 0 within `lambd` of 0, else the input.
model Hardshrink(lambd: float = 0.5) {
  fn forward(x: tensor) -> tensor = hardshrink(x, lambd)

  fn extra_repr() -> string = repr(lambd)
}

## Moved towards 0 by `lambd`.
model Softshrink(lambd: float = 0.5) {
  fn forward(x: tensor) -> tensor = softshrink(x, lambd)

  fn extra_repr() -> string = repr(lambd)
}

## `x - tanh(x)`.
model Tanhshrink { fn forward(x: tensor) -> tensor = tanhshrink(x) }

## `x` above the threshold, else `value`.
model Threshold(threshold: float, value: float) {
  fn forward(x: tensor) -> tensor = where(x <= threshold, cast(value, x.dtype), x)

  fn extra_repr() -> string = "threshold=" + repr(threshold) + ", value=" + repr(value)
}

## `softmax(-x)` along `dim`.
model Softmin(dim: int) {
  fn forward(x: tensor) -> tensor = softmin(x, dim)

  fn extra_repr() -> string = "dim=" + repr(dim)
}

## Cosine of the angle between slices along `dim`.
model CosineSimilarity(dim: int = 1, eps: float = 1e-8) {
  fn forward(x1: tensor, x2: tensor) -> tensor = cosine_similarity(x1, x2, dim, eps)
}

## The p-norm of differences along the last axis.
model PairwiseDistance(p: float = 2.0, eps: float = 1e-6, keepdim: bool = false) {
  fn forward(x1: tensor, x2: tensor) -> tensor = pairwise_distance(x1, x2, p, eps, keepdim)
}
