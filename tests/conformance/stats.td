tdsl 1
# Transcriptions of the reference cases about statistics that are more than one expression.

fn stats_expectation_variance(v: f32[3], p: f32[3]) -> (f32, f32) {
  let m = sum(v * p)
  (m, sum(v * v * p) - m * m)
}
