tdsl 1
# Recurrent networks, with PyTorch's gates, parameter layouts and order of weights: for each layer, and within a layer for each direction,
# w_ih, w_hh, b_ih, b_hh. Inputs are [time, batch, features], or [batch, time, features] with `batch_first`, or without the batch axis.

## Elman's cell: `nonlinearity(w_ih x + b_ih + w_hh h + b_hh)` with `"tanh"` or `"relu"` (Elman 1990).
fn rnn_cell(
  input: tensor,
  hx: tensor,
  w_ih: tensor,
  w_hh: tensor,
  b_ih: tensor,
  b_hh: tensor,
  nonlinearity: string = "tanh",
) -> tensor {
  _check_state("rnn_cell", input, [hx])
  _check_cell("rnn_cell", 1, size(hx, -1), w_ih, w_hh)
  _rnn_step(linear(input, w_ih, b_ih), (hx,), w_hh, b_hh, nonlinearity)[0]
}

## Checks the shapes of a cell's weights, for `gates` gates of the hidden size, and of its state against what the input gives.
fn _check_cell(name: string, gates: int, hidden: dim, w_ih: tensor, w_hh: tensor) {
  for w in [w_ih, w_hh] {
    assert(
      ndim(w) == 2 && size(w, 0) == gates * hidden,
      name +
        ": a weight of shape " +
        w.shape +
        " does not have " +
        gates * hidden +
        " rows, " +
        gates +
        " for each of the " +
        hidden +
        " hidden units",
    )
  }
}

## The same of a single cell; its state has a row for each row of the input.
fn _check_state(name: string, input: tensor, states: [tensor]) {
  for state in states {
    assert(
      state.shape[:-1] == input.shape[:-1],
      name +
        ": the state of shape " +
        state.shape +
        " does not go with the input of shape " +
        input.shape,
    )
  }
}

fn _rnn_step(gates: tensor, state: any, w_hh: tensor, b_hh: tensor, nonlinearity: string) {
  check_word(nonlinearity, ["tanh", "relu"], "rnn: nonlinearity is \"tanh\" or \"relu\"")
  let total = gates + linear(state[0], w_hh, b_hh)
  (if nonlinearity == "tanh" { tanh(total) } else { relu(total) },)
}

## The gated recurrent unit, its gates in the order reset, update, new (Cho et al. 2014).
fn gru_cell(
  input: tensor,
  hx: tensor,
  w_ih: tensor,
  w_hh: tensor,
  b_ih: tensor,
  b_hh: tensor,
) -> tensor {
  _check_state("gru_cell", input, [hx])
  _check_cell("gru_cell", 3, size(hx, -1), w_ih, w_hh)
  _gru_step(linear(input, w_ih, b_ih), (hx,), w_hh, b_hh)[0]
}

fn _gru_step(gates: tensor, state: any, w_hh: tensor, b_hh: tensor) {
  let h = state[0]
  let (reset_x, update_x, new_x) = chunk(gates, 3, -1)
  let (reset_h, update_h, new_h) = chunk(linear(h, w_hh, b_hh), 3, -1)
  let keep = sigmoid(update_x + update_h)
  let fresh = tanh(new_x + sigmoid(reset_x + reset_h) * new_h)
  ((1 - keep) * fresh + keep * h,)
}

## Long short-term memory, its gates in the order input, forget, cell, output (Hochreiter and Schmidhuber 1997); gives (h, c).
fn lstm_cell(
  input: tensor,
  hx: tensor,
  cx: tensor,
  w_ih: tensor,
  w_hh: tensor,
  b_ih: tensor,
  b_hh: tensor,
) {
  _check_state("lstm_cell", input, [hx, cx])
  _check_cell("lstm_cell", 4, size(hx, -1), w_ih, w_hh)
  _lstm_step(linear(input, w_ih, b_ih), (hx, cx), w_hh, b_hh)
}

fn _lstm_step(gates: tensor, state: any, w_hh: tensor, b_hh: tensor) {
  let (enter, forget, cell, leave) = chunk(gates + linear(state[0], w_hh, b_hh), 4, -1)
  let c = sigmoid(forget) * state[1] + sigmoid(enter) * tanh(cell)
  (sigmoid(leave) * tanh(c), c)
}

## Runs layers of cells over time. `initial` holds the states [layers * directions, batch, hidden]; `step` maps what the input adds to the
## gates and the states to the next states, of which the first is the output. Gives the output and the last states, stacked.
fn _run(
  name: string,
  gates: int,
  input: tensor,
  initial: [tensor],
  weights: [tensor],
  num_layers: int,
  batch_first: bool,
  bidirectional: bool,
  step: function,
) {
  let directions = if bidirectional { 2 } else { 1 }
  assert(num_layers > 0, name + ": at least one layer is needed")
  assert(
    len(weights) == 4 * num_layers * directions,
    name +
      ": " +
      num_layers +
      " layers in " +
      directions +
      " directions need " +
      4 * num_layers * directions +
      " weights, not " +
      len(weights),
  )
  assert(
    ndim(input) == 2 || ndim(input) == 3,
    name +
      " takes an input of rank 3, or of rank 2 without a batch axis, not of shape " +
      input.shape,
  )
  let single = ndim(input) == 2
  let starts = if single { [unsqueeze(state, 1) for state in initial] } else { initial }
  for state in starts {
    assert(
      ndim(state) == 3 && size(state, 0) == num_layers * directions,
      name +
        ": the first state of shape " +
        state.shape +
        " has no row for each of the " +
        num_layers * directions +
        " layers and directions",
    )
  }
  let x = if single {
    unsqueeze(input, 1)
  } else if batch_first {
    transpose(input, 0, 1)
  } else {
    input
  }
  for state in starts {
    assert(
      size(state, 1) == size(x, 1),
      name +
        ": the first state has a batch of " +
        size(state, 1) +
        ", the input one of " +
        size(x, 1),
    )
  }
  let finals = [[] for state in initial]
  for layer in 0..num_layers {
    let outputs = []
    for direction in 0..directions {
      let at = layer * directions + direction
      let (w_ih, w_hh, b_ih, b_hh) = (
        weights[4 * at],
        weights[4 * at + 1],
        weights[4 * at + 2],
        weights[4 * at + 3],
      )
      _check_cell(name, gates, size(starts[0], 2), w_ih, w_hh)
      let inputs = linear(if direction == 1 { flip(x, [0]) } else { x }, w_ih, b_ih)
      let (ys, last) = scan inputs from tuple([state[at] for state in starts]) { (state, g) =>
        let next = step(g, state, w_hh, b_hh)
        (next, next[0])
      }
      outputs = outputs + [if direction == 1 { flip(ys, [0]) } else { ys }]
      finals = [finals[i] + [last[i]] for i in 0..len(initial)]
    }
    x = cat(outputs, -1)
  }
  let output = if single {
    squeeze_axes(x, 1)
  } else if batch_first {
    transpose(x, 0, 1)
  } else {
    x
  }
  tuple(
    [output] + [if single { squeeze_axes(stack(last), 1) } else { stack(last) } for last in finals],
  )
}

## Elman's network: (output, h_n).
fn rnn(
  input: tensor,
  h0: tensor,
  weights: [tensor],
  num_layers: int = 1,
  nonlinearity: string = "tanh",
  batch_first: bool = false,
  bidirectional: bool = false,
) =
  _run(
    "rnn",
    1,
    input,
    [h0],
    weights,
    num_layers,
    batch_first,
    bidirectional,
    (g, state, w, b) => _rnn_step(g, state, w, b, nonlinearity),
  )

## Gated recurrent units: (output, h_n).
fn gru(
  input: tensor,
  h0: tensor,
  weights: [tensor],
  num_layers: int = 1,
  batch_first: bool = false,
  bidirectional: bool = false,
) =
  _run(
    "gru",
    3,
    input,
    [h0],
    weights,
    num_layers,
    batch_first,
    bidirectional,
    (g, state, w, b) => _gru_step(g, state, w, b),
  )

## Long short-term memory: (output, h_n, c_n).
fn lstm(
  input: tensor,
  h0: tensor,
  c0: tensor,
  weights: [tensor],
  num_layers: int = 1,
  batch_first: bool = false,
  bidirectional: bool = false,
) =
  _run(
    "lstm",
    4,
    input,
    [h0, c0],
    weights,
    num_layers,
    batch_first,
    bidirectional,
    (g, state, w, b) => _lstm_step(g, state, w, b),
  )
