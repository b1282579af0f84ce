tdsl 1
# A recurrent network on characters: long short-term memory (Hochreiter and Schmidhuber 1997), whose state a scan carries along the text.
import std.nn { Embedding, Linear }
import std.optim { Adam }
import "./sampling.td" { sample }

dim B, T

model LSTM(inputs: int, hidden: int) {
  from_input: Linear(inputs, 4 * hidden)
  from_state: Linear(hidden, 4 * hidden, bias: false)

  ## The outputs of all times, and the last state (h, c). What the inputs add to the gates is one product for all times.
  fn forward(xs: f32[T, B, inputs], h: f32[B, hidden], c: f32[B, hidden]) =
    scan from_input(xs) from (h, c) { ((h, c), x) =>
      let (enter, forget, cell, leave) = chunk(x + from_state(h), 4, -1)
      let next_c = sigmoid(forget) * c + sigmoid(enter) * tanh(cell)
      let next_h = sigmoid(leave) * tanh(next_c)
      ((next_h, next_c), next_h)
    }
}

## Gives for each position the scores of the character after it, and the last state.
model CharLSTM(vocabulary: int = 65, width: int = 64, hidden: int = 256) {
  tokens: Embedding(vocabulary, width)
  memory: LSTM(width, hidden)
  head: Linear(hidden, vocabulary)

  fn forward(x: i64[B, T], h: f32[B, hidden], c: f32[B, hidden]) {
    let (ys, (last_h, last_c)) = memory(tokens(x.T), h, c)
    (transpose(head(ys), 0, 1), last_h, last_c)
  }
}

## The mean loss of a network of any size, which begins with an empty memory.
fn loss[M: model](net: M, x: i64[B, T], y: i64[B, T]) -> f32 {
  let start = zeros([size(x, 0), net.hidden])
  let scores = net(x, start, start)[0]
  cross_entropy(flatten(scores, 0, 1), flatten(y, 0, 1))
}

## The mean loss of a batch of texts `x` and the same texts one character further, `y`.
export fn evaluate(net: CharLSTM, x: i64[B, T], y: i64[B, T]) -> f32 = loss(net, x, y)

## One step of training on a batch; returns its loss.
export fn train_step(
  net: mut CharLSTM,
  opt: mut Adam(net, lr: 2e-3),
  x: i64[B, T],
  y: i64[B, T],
) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x, y)
  opt.step(net, clip_grad_norm(g, 1.0))
  l
}

## Reads a text from the state (h, c) on, and draws the character that follows it: (character, h, c).
export fn next(
  net: CharLSTM,
  key: mut key,
  text: i64[T],
  h: f32[1, 256],
  c: f32[1, 256],
  temperature: f32,
  top_k: i64,
) -> (i64, f32[1, 256], f32[1, 256]) {
  let (scores, last_h, last_c) = net(unsqueeze(text, 0), h, c)
  (sample(scores[0, -1], temperature, top_k), last_h, last_c)
}
