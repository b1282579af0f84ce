tdsl 1
# Transcriptions of the reference cases about theory that are more than one expression.

fn theory_hoeffding_optimal_t(lo: f64[2], hi: f64[2], e: f64) -> (f64, f64, f64) {
  let c = sum((hi - lo) ** 2)
  let t = 4 * e / c
  (t, exp(-t * e + t * t / 8 * c), exp(-2 * e * e / c))
}

fn theory_arc_length_functional(y: f64[5], h: f64) -> f64 {
  let slope = (y[1:] - y[:-1]) / h
  sum(sqrt(1 + slope ** 2) * h)
}
