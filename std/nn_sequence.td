tdsl 1
# Layers for sequences, which `std.nn` gives as well: recurrent networks and attention, with PyTorch's names, arguments and layouts.
import std.nn { Dropout, LayerNorm, Linear }

## The weights of one recurrent layer in one direction, uniform within `1 / sqrt(hidden)`. PyTorch's `weight_ih_l0` is `layers.0.weight_ih`;
## with two directions its `weight_ih_l0_reverse` is `layers.1.weight_ih`, its `weight_ih_l1` is `layers.2.weight_ih`.
model _RecurrentWeights(inputs: int, hidden: int, gates: int, bias: bool) {
  let bound = 1.0 / hidden ** 0.5
  let has_bias = bias
  param weight_ih: real[gates * hidden, inputs] = uniform(a: -bound, b: bound)
  param weight_hh: real[gates * hidden, hidden] = uniform(a: -bound, b: bound)
  if has_bias {
    param bias_ih: real[gates * hidden] = uniform(a: -bound, b: bound)
    param bias_hh: real[gates * hidden] = uniform(a: -bound, b: bound)
  }
  fn all() =
    [
      weight_ih,
      weight_hh,
      if has_bias { bias_ih } else { zeros([gates * hidden]) },
      if has_bias { bias_hh } else { zeros([gates * hidden]) },
    ]
}

## Runs layers one after the other, with dropout between them; `cells` runs one. Gives the output and the last states.
fn _run_layers(
  x: tensor,
  initial: [tensor],
  layers: any,
  directions: int,
  rate: float,
  training: bool,
  cells: function,
) {
  let depth = len(layers) // directions
  let finals = [[] for state in initial]
  for layer in 0..depth {
    let first = layer * directions
    let weights = []
    for direction in 0..directions { weights = weights + layers[first + direction].all() }
    let result = cells(x, [narrow(state, 0, first, directions) for state in initial], weights)
    x = if layer < depth - 1 { dropout(result[0], rate, training) } else { result[0] }
    finals = [finals[i] + [result[i + 1]] for i in 0..len(initial)]
  }
  (x, [cat(last) for last in finals])
}

## States of zeros for an input [time, batch, features], [batch, time, features] with `batch_first`, or [time, features].
fn _no_state(x: tensor, rows: int, hidden: int, batch_first: bool) -> tensor =
  if ndim(x) == 2 {
    zeros([rows, hidden])
  } else {
    zeros([rows, size(x, if batch_first { 0 } else { 1 }), hidden])
  }

## Elman's network over time, in `num_layers` layers with dropout between them. `forward(x, h0)` gives the output [time, batch, hidden] and the
## last states [layers * directions, batch, hidden]; states begin as zeros without `h0`.
model RNN(
  input_size: int,
  hidden_size: int,
  num_layers: int = 1,
  nonlinearity: string = "tanh",
  bias: bool = true,
  batch_first: bool = false,
  dropout: float = 0.0,
  bidirectional: bool = false,
) {
  let rate = checked_probability(dropout)
  let directions = if bidirectional { 2 } else { 1 }
  layers: [
    _RecurrentWeights(
      if layer == 0 { input_size } else { directions * hidden_size },
      hidden_size,
      1,
      bias,
    )
    for layer in 0..num_layers
    for direction in 0..directions
  ]
  fn forward(x: tensor, h0: tensor? = none) {
    let h = if h0 == none {
      _no_state(x, num_layers * directions, hidden_size, batch_first)
    } else {
      h0
    }
    let (output, last) = _run_layers(
      x,
      [h],
      layers,
      directions,
      rate,
      training,
      (x, state, weights) => rnn(x, state[0], weights, 1, nonlinearity, batch_first, bidirectional),
    )
    (output, last[0])
  }
}

## Gated recurrent units over time, in `num_layers` layers with dropout between them. `forward(x, h0)` gives the output [time, batch, hidden] and
## the last states [layers * directions, batch, hidden]; states begin as zeros without `h0`.
model GRU(
  input_size: int,
  hidden_size: int,
  num_layers: int = 1,
  bias: bool = true,
  batch_first: bool = false,
  dropout: float = 0.0,
  bidirectional: bool = false,
) {
  let rate = checked_probability(dropout)
  let directions = if bidirectional { 2 } else { 1 }
  layers: [
    _RecurrentWeights(
      if layer == 0 { input_size } else { directions * hidden_size },
      hidden_size,
      3,
      bias,
    )
    for layer in 0..num_layers
    for direction in 0..directions
  ]
  fn forward(x: tensor, h0: tensor? = none) {
    let h = if h0 == none {
      _no_state(x, num_layers * directions, hidden_size, batch_first)
    } else {
      h0
    }
    let (output, last) = _run_layers(
      x,
      [h],
      layers,
      directions,
      rate,
      training,
      (x, state, weights) => gru(x, state[0], weights, 1, batch_first, bidirectional),
    )
    (output, last[0])
  }
}

## Long short-term memory over time, in `num_layers` layers with dropout between them. `forward(x, (h0, c0))` gives the output
## [time, batch, hidden] and the last (h, c), each [layers * directions, batch, hidden]; states begin as zeros without them.
model LSTM(
  input_size: int,
  hidden_size: int,
  num_layers: int = 1,
  bias: bool = true,
  batch_first: bool = false,
  dropout: float = 0.0,
  bidirectional: bool = false,
) {
  let rate = checked_probability(dropout)
  let directions = if bidirectional { 2 } else { 1 }
  layers: [
    _RecurrentWeights(
      if layer == 0 { input_size } else { directions * hidden_size },
      hidden_size,
      4,
      bias,
    )
    for layer in 0..num_layers
    for direction in 0..directions
  ]
  fn forward(x: tensor, hx: any = none) {
    let empty = _no_state(x, num_layers * directions, hidden_size, batch_first)
    let (h, c) = if hx == none { (empty, empty) } else { hx }
    let (output, last) = _run_layers(
      x,
      [h, c],
      layers,
      directions,
      rate,
      training,
      (x, state, weights) => lstm(x, state[0], state[1], weights, 1, batch_first, bidirectional),
    )
    (output, (last[0], last[1]))
  }
}

## One step of Elman's network: `cell(x, h)` gives the next h.
model RNNCell(input_size: int, hidden_size: int, bias: bool = true, nonlinearity: string = "tanh") {
  weights: _RecurrentWeights(input_size, hidden_size, 1, bias)
  fn forward(x: tensor, h: tensor) -> tensor {
    let w = weights.all()
    rnn_cell(x, h, w[0], w[1], w[2], w[3], nonlinearity)
  }
}

## One step of a gated recurrent unit: `cell(x, h)` gives the next h.
model GRUCell(input_size: int, hidden_size: int, bias: bool = true) {
  weights: _RecurrentWeights(input_size, hidden_size, 3, bias)
  fn forward(x: tensor, h: tensor) -> tensor {
    let w = weights.all()
    gru_cell(x, h, w[0], w[1], w[2], w[3])
  }
}

## One step of long short-term memory: `cell(x, (h, c))` gives the next (h, c).
model LSTMCell(input_size: int, hidden_size: int, bias: bool = true) {
  weights: _RecurrentWeights(input_size, hidden_size, 4, bias)
  fn forward(x: tensor, hx: any) {
    let w = weights.all()
    lstm_cell(x, hx[0], hx[1], w[0], w[1], w[2], w[3])
  }
}

## A linear layer whose bias begins as zeros, as the projections of attention have it.
model _Projection(features: int, bias: bool) {
  let has_bias = bias
  param weight: real[features, features] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[features] = zeros }
}

## Attention in `num_heads` parts of the features (Vaswani et al. 2017): `attention(query, key, value)` gives the output and the weights,
## averaged over the heads. Tensors are [length, batch, features] unless `batch_first`. `attn_mask` and `key_padding_mask` hide where they are
## true, or are added where they are floats.
model MultiheadAttention(
  embed_dim: int,
  num_heads: int,
  dropout: float = 0.0,
  bias: bool = true,
  batch_first: bool = false,
) {
  let rate = checked_probability(dropout)
  let has_bias = bias
  param in_proj_weight: real[3 * embed_dim, embed_dim] = xavier_uniform
  if has_bias { param in_proj_bias: real[3 * embed_dim] = zeros }
  out_proj: _Projection(embed_dim, bias)
  fn forward(
    query: tensor,
    key: tensor,
    value: tensor,
    key_padding_mask: tensor? = none,
    attn_mask: tensor? = none,
  ) =
    multi_head_attention(
      query,
      key,
      value,
      in_proj_weight,
      if has_bias { in_proj_bias } else { none },
      out_proj.weight,
      if has_bias { out_proj.bias } else { none },
      num_heads,
      key_padding_mask,
      attn_mask,
      true,
      batch_first,
      if training { rate } else { 0.0 },
    )
}

## A block of a transformer's encoder: attention and two linear layers, each with dropout, a way around it and a layer norm behind
## it, or before it with `norm_first`.
model TransformerEncoderLayer(
  d_model: int,
  nhead: int,
  dim_feedforward: int = 2048,
  dropout: float = 0.1,
  activation: string = "relu",
  layer_norm_eps: float = 1e-5,
  batch_first: bool = false,
  norm_first: bool = false,
) {
  self_attn: MultiheadAttention(d_model, nhead, dropout: dropout, batch_first: batch_first)
  linear1: Linear(d_model, dim_feedforward)
  drop: Dropout(dropout)
  linear2: Linear(dim_feedforward, d_model)
  norm1: LayerNorm(d_model, eps: layer_norm_eps)
  norm2: LayerNorm(d_model, eps: layer_norm_eps)

  fn forward(
    src: tensor,
    src_mask: tensor? = none,
    src_key_padding_mask: tensor? = none,
  ) -> tensor {
    assert(activation == "relu" || activation == "gelu", "activation is \"relu\" or \"gelu\"")
    let attend = x => drop(self_attn(x, x, x, src_key_padding_mask, src_mask)[0])
    let feed = x => {
      let h = linear1(x)
      drop(linear2(drop(if activation == "relu" { relu(h) } else { gelu(h) })))
    }
    if norm_first {
      let x = src + attend(norm1(src))
      x + feed(norm2(x))
    } else {
      let x = norm1(src + attend(src))
      norm2(x + feed(x))
    }
  }
}
