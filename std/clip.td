tdsl 1
# Clipping of gradients. Of a tuple of tensors, or of the gradient of a model, which keeps its structure.

## Scales all gradients down together so that their norm is at most `max_norm` (Pascanu et al. 2013). Of a tuple: (norm before, each gradient);
## of the gradient of a model: the clipped gradient.
fn clip_grad_norm(grads: any, max_norm: float, norm_type: float = 2.0) {
  let norms = []
  if is_tuple(grads) {
    norms = [norm(g, norm_type) for g in grads]
  } else {
    map (g) over (grads) { norms = norms + [norm(g, norm_type)] }
  }
  let total = norm(stack(norms), norm_type)
  let scale = minimum(max_norm / (total + 1e-6), 1)
  if is_tuple(grads) {
    tuple([total] + [g * scale for g in grads])
  } else {
    map (g) over (grads) { g * scale }
  }
}

## Clamps each element to `-clip_value ... clip_value`.
fn clip_grad_value(grads: any, clip_value: float) {
  if is_tuple(grads) {
    tuple([clamp(g, -clip_value, clip_value) for g in grads])
  } else {
    map (g) over (grads) { clamp(g, -clip_value, clip_value) }
  }
}
