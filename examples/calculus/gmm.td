tdsl 1
# A mixture of Gaussians: the logarithm of its posterior, with a Wishart prior on the inverse covariances, and the gradient. The problem and
# its parameters are those of ADBench (Šrajer, Kukelova and Fitzgibbon 2018): the inverse covariance of a cluster is QᵀQ with Q lower
# triangular, whose diagonal is given by its logarithms, followed by what lies below it, column by column.

dim n, k

let log_2 = 0.6931471805599453
let log_pi = 1.1447298858494002

## log Γ(x) of positive numbers, by Stirling's series beyond 10.
fn log_gamma(x: f64[*S]) -> f64[*S] {
  let y = x + 10
  let series = 1 / (12 * y) - 1 / (360 * y ** 3) + 1 / (1260 * y ** 5) - 1 / (1680 * y ** 7)
  (y - 0.5) * log(y) -
    y +
    (log_2 + log_pi) / 2 +
    series -
    sum(log(unsqueeze(x, -1) + arange(end: 10)), -1)
}

## The triangle below the diagonal of each cluster's Q.
fn lower(icf: f64[k, d * (d + 1) // 2], d: dim) -> f64[k, d, d] {
  place[i in 0..d, j in 0..d] = d + j * (2 * d - j - 1) // 2 + i - j - 1
  q[c, i, j] = where(i > j, icf[c, place[i, j]], 0)
}

## The logarithm of the density of the Wishart prior with `m` degrees of freedom beyond the least.
fn log_prior(log_diagonal: f64[k, d], below: f64[k, d, d], gamma: f64, m: i64) -> f64 {
  let (clusters, width) = (cast(size(below, 0), f64), cast(size(below, 1), f64))
  let freedom = width + m + 1
  let log_multigamma =
    width * (width - 1) / 4 * log_pi + sum(log_gamma((freedom - arange(end: size(below, 1))) / 2))
  let constant = freedom * width * (log(gamma) - log_2 / 2) - log_multigamma
  let squares = sum(exp(2 * log_diagonal)) + sum(below * below)
  gamma ** 2 / 2 * squares - m * sum(log_diagonal) - clusters * constant
}

fn log_posterior(
  alphas: f64[k],
  means: f64[k, d],
  icf: f64[k, d * (d + 1) // 2],
  x: f64[n, d],
  gamma: f64,
  m: i64,
) -> f64 {
  let (count, width) = (cast(size(x, 0), f64), size(x, 1))
  let (log_diagonal, below) = (narrow(icf, 1, 0, width), lower(icf, width))
  centred[i, c, j] = x[i, j] - means[c, j]
  y[i, c, a] =
    exp(log_diagonal[c, a]) * centred[i, c, a] + (sum over b: below[c, a, b] * centred[i, c, b])
  let scores = alphas + sum(log_diagonal, 1) - sum(y * y, 2) / 2
  let likelihood = sum(logsumexp(scores, 1)) - count * logsumexp(alphas, 0)
  likelihood - count * width / 2 * (log_2 + log_pi) + log_prior(log_diagonal, below, gamma, m)
}

## The value and its gradient by the parameters of the mixture.
export fn gradient(
  alphas: f64[k],
  means: f64[k, d],
  icf: f64[k, d * (d + 1) // 2],
  x: f64[n, d],
  gamma: f64,
  m: i64,
) -> (f64, (f64[k], f64[k, d], f64[k, d * (d + 1) // 2])) =
  value_and_grad(log_posterior, wrt: ["alphas", "means", "icf"])(alphas, means, icf, x, gamma, m)
