tdsl 1
# Attention (Vaswani et al. 2017), with PyTorch's parameter layouts.

## Where an attention mask hides, or what it adds: bools hide where they are true, floats are added.
fn _masked(scores: tensor, mask: tensor) -> tensor =
  if is_floating_point(mask) { scores + mask } else { where(mask, -inf, scores) }

## Checks that the operands of attention go together; `batch` is their batch axis, none without one.
fn _check_attention(
  query: tensor,
  key: tensor,
  value: tensor,
  in_proj_weight: tensor,
  out_proj_weight: tensor,
  key_padding_mask: tensor?,
  batch: int?,
) {
  let features = size(query, -1)
  let length = if batch == none { 0 } else { 1 - batch }
  for x in [key, value] {
    assert(
      ndim(x) == ndim(query) && size(x, -1) == features,
      "multi_head_attention: key and value of shapes " +
        key.shape +
        " and " +
        value.shape +
        " do not go with the query of shape " +
        query.shape,
    )
  }
  assert(
    size(key, length) == size(value, length),
    "multi_head_attention: there are " +
      size(key, length) +
      " keys and " +
      size(value, length) +
      " values",
  )
  if batch != none {
    for x in [key, value] {
      assert(
        size(x, batch) == size(query, batch),
        "multi_head_attention: the query has a batch of " +
          size(query, batch) +
          ", key or value one of " +
          size(x, batch),
      )
    }
  }
  check_sizes(
    in_proj_weight.shape,
    [3 * features, features],
    "multi_head_attention: the in_proj_weight of shape " +
      in_proj_weight.shape +
      " is not of shape " +
      [3 * features, features],
  )
  check_sizes(
    out_proj_weight.shape,
    [features, features],
    "multi_head_attention: the out_proj_weight of shape " +
      out_proj_weight.shape +
      " is not of shape " +
      [features, features],
  )
  if key_padding_mask != none {
    let wanted = (if batch == none { [] } else { [size(query, batch)] }) + [size(key, length)]
    check_sizes(
      key_padding_mask.shape,
      wanted,
      "multi_head_attention: the key_padding_mask of shape " +
        key_padding_mask.shape +
        " is not of shape " +
        wanted,
    )
  }
}

## Attention in `num_heads` parts of the features: (output, weights averaged over the heads), or the output alone where the weights are not
## needed. Tensors are [length, batch, features] unless `batch_first`. `attn_mask` is [length, keys] or one for each batch and head;
## `key_padding_mask` [batch, keys] hides keys. `dropout_p` drops weights.
fn multi_head_attention(
  query: tensor,
  key: tensor,
  value: tensor,
  in_proj_weight: tensor,
  in_proj_bias: tensor?,
  out_proj_weight: tensor,
  out_proj_bias: tensor?,
  num_heads: int,
  key_padding_mask: tensor? = none,
  attn_mask: tensor? = none,
  need_weights: bool = true,
  batch_first: bool = false,
  dropout_p: float = 0.0,
) {
  assert(
    ndim(query) == 3 || ndim(query) == 2,
    "multi_head_attention takes tensors of rank 3, or of rank 2 without a batch axis, not of shape " +
      query.shape,
  )
  let single = ndim(query) == 2
  let features = size(query, -1)
  assert(
    features % num_heads == 0,
    "multi_head_attention: " + num_heads + " heads do not divide the " + features + " features",
  )
  let width = features // num_heads
  _check_attention(
    query,
    key,
    value,
    in_proj_weight,
    out_proj_weight,
    key_padding_mask,
    if single { none } else if batch_first { 0 } else { 1 },
  )
  # [batch, heads, length, width] of one of the three projections.
  let projected = (x, part) => {
    let batch = if single { unsqueeze(x, 0) } else if batch_first { x } else { transpose(x, 0, 1) }
    let bias = if in_proj_bias == none {
      none
    } else {
      narrow(in_proj_bias, 0, part * features, features)
    }
    let y = linear(batch, narrow(in_proj_weight, 0, part * features, features), bias)
    transpose(reshape(y, [size(y, 0), size(y, 1), num_heads, width]), 1, 2)
  }
  let (q, k, v) = (projected(query, 0), projected(key, 1), projected(value, 2))
  let scores = q / width ** 0.5 @ transpose(k, -2, -1)
  let masked = if attn_mask == none {
    scores
  } else {
    let sizes = scores.shape
    let wanted = if ndim(attn_mask) == 3 { [sizes[0] * num_heads] + sizes[2:] } else { sizes[2:] }
    check_sizes(
      attn_mask.shape,
      wanted,
      "multi_head_attention: the attn_mask of shape " +
        attn_mask.shape +
        " is not of shape " +
        wanted,
    )
    _masked(scores, if ndim(attn_mask) == 3 { reshape(attn_mask, sizes) } else { attn_mask })
  }
  let hidden = if key_padding_mask == none {
    masked
  } else {
    _masked(
      masked,
      unsqueeze(
        unsqueeze(if single { unsqueeze(key_padding_mask, 0) } else { key_padding_mask }, 1),
        1,
      ),
    )
  }
  let weights = softmax(hidden, -1)
  let joined = transpose(dropout(weights, dropout_p) @ v, 1, 2)
  let y = linear(
    reshape(joined, [size(joined, 0), size(joined, 1), features]),
    out_proj_weight,
    out_proj_bias,
  )
  let output = if single {
    squeeze_axes(y, 0)
  } else if batch_first {
    y
  } else {
    transpose(y, 0, 1)
  }
  if need_weights {
    (output, if single { squeeze_axes(mean(weights, 1), 0) } else { mean(weights, 1) })
  } else {
    output
  }
}

## Attention of queries [..., length, width], keys [..., keys, width] and values [..., keys, depth], over leading axes that broadcast: `softmax(query key^T scale) value`, where
## `scale` is `1 / sqrt(width)` unless given. A bool `attn_mask`, which broadcasts to [..., length, keys], is true where a key takes part, a float one is added; `is_causal` hides keys
## behind the query's own position. `dropout_p` drops weights. As in PyTorch 2; a query without any key gives NaN.
fn scaled_dot_product_attention[T: float](
  query: T[*Q, _, width],
  key: T[*K, keys, width],
  value: T[*V, keys, _],
  attn_mask: tensor? = none,
  dropout_p: float = 0.0,
  is_causal: bool = false,
  scale: float? = none,
) -> tensor {
  assert(
    attn_mask == none || !is_causal,
    "scaled_dot_product_attention takes an attn_mask or is_causal, not both",
  )
  let scores =
    (if scale == none { query / width ** 0.5 } else { query * scale }) @ transpose(key, -2, -1)
  let masked = if is_causal {
    where(unsqueeze(arange(end: size(query, -2)), 1) < arange(end: keys), -inf, scores)
  } else if attn_mask == none {
    scores
  } else {
    _masked(scores, if is_floating_point(attn_mask) { attn_mask } else { !attn_mask })
  }
  dropout(softmax(masked, -1), dropout_p) @ value
}
