tdsl 1
# k-means by Newton's method (Bottou and Bengio 1995): the cost is quadratic as long as no point changes its cluster, and its Hessian is
# diagonal, so a step of Newton is a step of Lloyd.

dim n, k

## The sum of the squared distances of each point to the centre next to it.
fn cost(centres: f64[k, d], points: f64[n, d]) -> f64 {
  distance[i, c] = sum over j: (points[i, j] - centres[c, j]) ** 2
  sum(amin(distance, 1))
}

## The cost, its gradient, and the diagonal of its Hessian: the product of the Hessian with ones.
export fn derivatives(centres: f64[k, d], points: f64[n, d]) -> (f64, f64[k, d], f64[k, d]) {
  let (value, g) = value_and_grad(cost)(centres, points)
  let (_, diagonal) = hvp(c => cost(c, points), centres, ones_like(centres))
  (value, g, diagonal)
}

## Steps of Newton until the centres stay. A centre without points stays where it is.
export fn cluster(centres: f64[k, d], points: f64[n, d]) -> f64[k, d] {
  let (found, _) = while moved > 1e-12 max 100 from (c, moved) = (centres, cast(1, f64)) {
    let (_, g, diagonal) = derivatives(c, points)
    let next = c - where(diagonal > 0, g / where(diagonal > 0, diagonal, 1), 0)
    (next, amax(abs(next - c)))
  }
  found
}

## A step of Lloyd (1982): each centre moves to the mean of the points that are next to it.
export fn lloyd(centres: f64[k, d], points: f64[n, d]) -> f64[k, d] {
  distance[i, c] = sum over j: (points[i, j] - centres[c, j]) ** 2
  let own = cast(one_hot(argmin(distance, 1), size(centres, 0)), f64)
  let count = unsqueeze(sum(own, 0), 1)
  where(count > 0, own.T @ points / maximum(count, 1), centres)
}
