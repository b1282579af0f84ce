tdsl 1
# Transcriptions of the reference cases about preparing data.

fn data_fillna_mean(x: f32[4, 2]) -> f32[4, 2] {
  let missing = isnan(x)
  let average = sum(where(missing, zeros_like(x), x), 0) / sum(!missing, 0)
  where(missing, average, x)
}
