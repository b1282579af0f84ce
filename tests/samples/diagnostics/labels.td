tdsl 1
# Labels of the wrong dtype, of the wrong length, and one-hot labels that are integers.
fn as_floats(logits: f32[3, 4], labels: f32[3]) -> f32 = cross_entropy(logits, labels)

fn as_a_column(logits: f32[3, 4], labels: i64[3, 1]) -> f32 = cross_entropy(logits, labels)

fn too_large(logits: f32[3, 4]) -> f32 = cross_entropy(logits, tensor([0, 4, 1]))

fn as_vectors(logits: f32[3, 4], labels: i64[3]) -> f32 = cross_entropy(logits, one_hot(labels, 4))
