tdsl 1
# Transcriptions of the reference cases about joining and splitting that are more than one expression.

fn merge_split_cat_then_split(a: f32[2, 2], b: f32[1, 2]) -> (f32[2, 2], f32[1, 2]) {
  let (a2, b2) = split(cat((a, b), 0), [2, 1], 0)
  (a2 * b2, b2)
}
