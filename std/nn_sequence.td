tdsl 1
# Layers for sequences, which `std.nn` gives as well: recurrent networks and attention, with PyTorch's names, arguments and layouts.
import std.nn { Dropout, LayerNorm, Linear }

## The weights of recurrent layers under PyTorch's names and in its order: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, those of the
## other direction with `_reverse` at the end, and those of the next layer with `_l1`.
fn _recurrent_weights(
  input_size: int,
  hidden: int,
  gates: int,
  num_layers: int,
  directions: int,
  bias: bool,
) {
  let (names, shapes) = ([], [])
  for layer in 0..num_layers {
    for direction in 0..directions {
      let suffix = "_l" + layer + (if direction == 0 { "" } else { "_reverse" })
      let inputs = if layer == 0 { input_size } else { directions * hidden }
      names = names + ["weight_ih" + suffix, "weight_hh" + suffix]
      shapes = shapes + [zeros([gates * hidden, inputs]), zeros([gates * hidden, hidden])]
      if bias {
        names = names + ["bias_ih" + suffix, "bias_hh" + suffix]
        shapes = shapes + [zeros([gates * hidden]), zeros([gates * hidden])]
      }
    }
  }
  record(names, shapes)
}

## The weights of one step under PyTorch's names.
fn _cell_weights(inputs: int, hidden: int, gates: int, bias: bool) {
  let weights = {
    weight_ih: zeros([gates * hidden, inputs]),
    weight_hh: zeros([gates * hidden, hidden]),
  }
  if bias {
    {
      weight_ih: weights.weight_ih,
      weight_hh: weights.weight_hh,
      bias_ih: zeros([gates * hidden]),
      bias_hh: zeros([gates * hidden]),
    }
  } else {
    weights
  }
}

## The four weights of the layer and direction at `place` among all weights; biases that there are none of are zeros.
fn _weights_at(all: [tensor], place: int, bias: bool) -> [tensor] =
  if bias {
    [all[4 * place + i] for i in 0..4]
  } else {
    let gates = size(all[2 * place], 0)
    [all[2 * place], all[2 * place + 1], zeros([gates]), zeros([gates])]
  }

## What a recurrent network prints: what differs from the defaults is named.
fn _recurrent_repr(
  input_size: int,
  hidden_size: int,
  num_layers: int,
  bias: bool,
  batch_first: bool,
  dropout: float,
  bidirectional: bool,
) -> string {
  let text = repr(input_size) + ", " + repr(hidden_size)
  if num_layers != 1 { text = text + ", num_layers=" + repr(num_layers) }
  if !bias { text = text + ", bias=False" }
  if batch_first { text = text + ", batch_first=True" }
  if dropout != 0.0 { text = text + ", dropout=" + repr(dropout) }
  if bidirectional { text = text + ", bidirectional=True" }
  text
}

## Runs layers one after the other, with dropout between them; `cells` runs one. `all` are the weights of all layers. Gives the output and the
## last states.
fn _run_layers(
  x: tensor,
  initial: [tensor],
  all: [tensor],
  depth: int,
  directions: int,
  bias: bool,
  rate: float,
  training: bool,
  cells: function,
) {
  let finals = [[] for state in initial]
  for layer in 0..depth {
    let first = layer * directions
    let weights = []
    for direction in 0..directions { weights = weights + _weights_at(all, first + direction, bias) }
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
  let bound = 1.0 / hidden_size ** 0.5
  param _: like(_recurrent_weights(
    input_size,
    hidden_size,
    1,
    num_layers,
    directions,
    bias,
  )) = uniform(a: -bound, b: bound)
  fn forward(x: tensor, h0: tensor? = none) {
    let h = if h0 == none {
      _no_state(x, num_layers * directions, hidden_size, batch_first)
    } else {
      h0
    }
    let (output, last) = _run_layers(
      x,
      [h],
      leaves(self),
      num_layers,
      directions,
      bias,
      rate,
      training,
      (x, state, weights) => rnn(x, state[0], weights, 1, nonlinearity, batch_first, bidirectional),
    )
    (output, last[0])
  }

  fn extra_repr() -> string =
    _recurrent_repr(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
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
  let bound = 1.0 / hidden_size ** 0.5
  param _: like(_recurrent_weights(
    input_size,
    hidden_size,
    3,
    num_layers,
    directions,
    bias,
  )) = uniform(a: -bound, b: bound)
  fn forward(x: tensor, h0: tensor? = none) {
    let h = if h0 == none {
      _no_state(x, num_layers * directions, hidden_size, batch_first)
    } else {
      h0
    }
    let (output, last) = _run_layers(
      x,
      [h],
      leaves(self),
      num_layers,
      directions,
      bias,
      rate,
      training,
      (x, state, weights) => gru(x, state[0], weights, 1, batch_first, bidirectional),
    )
    (output, last[0])
  }

  fn extra_repr() -> string =
    _recurrent_repr(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
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
  let bound = 1.0 / hidden_size ** 0.5
  param _: like(_recurrent_weights(
    input_size,
    hidden_size,
    4,
    num_layers,
    directions,
    bias,
  )) = uniform(a: -bound, b: bound)
  fn forward(x: tensor, hx: any = none) {
    let empty = _no_state(x, num_layers * directions, hidden_size, batch_first)
    let (h, c) = if hx == none { (empty, empty) } else { hx }
    let (output, last) = _run_layers(
      x,
      [h, c],
      leaves(self),
      num_layers,
      directions,
      bias,
      rate,
      training,
      (x, state, weights) => lstm(x, state[0], state[1], weights, 1, batch_first, bidirectional),
    )
    (output, (last[0], last[1]))
  }

  fn extra_repr() -> string =
    _recurrent_repr(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
}

## One step of Elman's network: `cell(x, h)` gives the next h.
model RNNCell(input_size: int, hidden_size: int, bias: bool = true, nonlinearity: string = "tanh") {
  let bound = 1.0 / hidden_size ** 0.5
  param _: like(_cell_weights(input_size, hidden_size, 1, bias)) = uniform(a: -bound, b: bound)
  fn forward(x: tensor, h: tensor) -> tensor {
    let w = _weights_at(leaves(self), 0, bias)
    rnn_cell(x, h, w[0], w[1], w[2], w[3], nonlinearity)
  }

  fn extra_repr() -> string =
    repr(input_size) +
      ", " +
      repr(hidden_size) +
      (if bias { "" } else { ", bias=False" }) +
      (if nonlinearity == "tanh" { "" } else { ", nonlinearity=" + nonlinearity })
}

## One step of a gated recurrent unit: `cell(x, h)` gives the next h.
model GRUCell(input_size: int, hidden_size: int, bias: bool = true) {
  let bound = 1.0 / hidden_size ** 0.5
  param _: like(_cell_weights(input_size, hidden_size, 3, bias)) = uniform(a: -bound, b: bound)
  fn forward(x: tensor, h: tensor) -> tensor {
    let w = _weights_at(leaves(self), 0, bias)
    gru_cell(x, h, w[0], w[1], w[2], w[3])
  }

  fn extra_repr() -> string =
    repr(input_size) + ", " + repr(hidden_size) + (if bias { "" } else { ", bias=False" })
}

## One step of long short-term memory: `cell(x, (h, c))` gives the next (h, c).
model LSTMCell(input_size: int, hidden_size: int, bias: bool = true) {
  let bound = 1.0 / hidden_size ** 0.5
  param _: like(_cell_weights(input_size, hidden_size, 4, bias)) = uniform(a: -bound, b: bound)
  fn forward(x: tensor, hx: any) {
    let w = _weights_at(leaves(self), 0, bias)
    lstm_cell(x, hx[0], hx[1], w[0], w[1], w[2], w[3])
  }

  fn extra_repr() -> string =
    repr(input_size) + ", " + repr(hidden_size) + (if bias { "" } else { ", bias=False" })
}

## The projection of attention: a linear layer whose bias begins as zeros. The name is PyTorch's, under which it prints.
model NonDynamicallyQuantizableLinear(features: int, bias: bool) {
  let has_bias = bias
  param weight: real[features, features] = kaiming_uniform(a: 5.0 ** 0.5)
  if has_bias { param bias: real[features] = zeros }
  fn extra_repr() -> string =
    "in_features=" + features + ", out_features=" + features + ", bias=" + repr(has_bias)
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
  out_proj: NonDynamicallyQuantizableLinear(embed_dim, bias)
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
  let rate = dropout
  self_attn: MultiheadAttention(d_model, nhead, dropout: rate, batch_first: batch_first)
  linear1: Linear(d_model, dim_feedforward)
  dropout: Dropout(rate)
  linear2: Linear(dim_feedforward, d_model)
  norm1: LayerNorm(d_model, eps: layer_norm_eps)
  norm2: LayerNorm(d_model, eps: layer_norm_eps)
  dropout1: Dropout(rate)
  dropout2: Dropout(rate)

  fn forward(
    src: tensor,
    src_mask: tensor? = none,
    src_key_padding_mask: tensor? = none,
  ) -> tensor {
    assert(activation == "relu" || activation == "gelu", "activation is \"relu\" or \"gelu\"")
    let attend = x => dropout1(self_attn(x, x, x, src_key_padding_mask, src_mask)[0])
    let feed = x => {
      let h = linear1(x)
      dropout2(linear2(dropout(if activation == "relu" { relu(h) } else { gelu(h) })))
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

## A block of a transformer's decoder: attention to the target, attention to the memory, and two linear layers, each with dropout, a way
## around it and a layer norm behind it, or before it with `norm_first`.
model TransformerDecoderLayer(
  d_model: int,
  nhead: int,
  dim_feedforward: int = 2048,
  dropout: float = 0.1,
  activation: string = "relu",
  layer_norm_eps: float = 1e-5,
  batch_first: bool = false,
  norm_first: bool = false,
) {
  let rate = dropout
  self_attn: MultiheadAttention(d_model, nhead, dropout: rate, batch_first: batch_first)
  multihead_attn: MultiheadAttention(d_model, nhead, dropout: rate, batch_first: batch_first)
  linear1: Linear(d_model, dim_feedforward)
  dropout: Dropout(rate)
  linear2: Linear(dim_feedforward, d_model)
  norm1: LayerNorm(d_model, eps: layer_norm_eps)
  norm2: LayerNorm(d_model, eps: layer_norm_eps)
  norm3: LayerNorm(d_model, eps: layer_norm_eps)
  dropout1: Dropout(rate)
  dropout2: Dropout(rate)
  dropout3: Dropout(rate)

  fn forward(
    tgt: tensor,
    memory: tensor,
    tgt_mask: tensor? = none,
    memory_mask: tensor? = none,
    tgt_key_padding_mask: tensor? = none,
    memory_key_padding_mask: tensor? = none,
  ) -> tensor {
    check_word(activation, ["relu", "gelu"], "activation is \"relu\" or \"gelu\"")
    let attend = x => dropout1(self_attn(x, x, x, tgt_key_padding_mask, tgt_mask)[0])
    let read = x => dropout2(
      multihead_attn(x, memory, memory, memory_key_padding_mask, memory_mask)[0],
    )
    let feed = x => {
      let h = linear1(x)
      dropout3(linear2(dropout(if activation == "relu" { relu(h) } else { gelu(h) })))
    }
    if norm_first {
      let x = tgt + attend(norm1(tgt))
      let y = x + read(norm2(x))
      y + feed(norm3(y))
    } else {
      let x = norm1(tgt + attend(tgt))
      let y = norm2(x + read(x))
      norm3(y + feed(y))
    }
  }
}
