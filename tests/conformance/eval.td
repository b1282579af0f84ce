tdsl 1
# Transcriptions of the reference cases about evaluation.

fn eval_accuracy_over_batches(l: f32[7, 3], y: i64[7]) -> f64 {
  let right = [sum(argmax(l[i * 3:i * 3 + 3], 1) == y[i * 3:i * 3 + 3]) for i in 0..3]
  cast(right[0] + right[1] + right[2], f64) / size(y, 0)
}
