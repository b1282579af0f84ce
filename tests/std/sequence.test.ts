// The layers for sequences give PyTorch's numbers for parameters that a formula gives; see tests/reference/sequence_reference.py.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instanceOf, numbers } from '../support/program.js';

const file = path.resolve('tests', 'reference', 'sequence_reference.json');
const reference = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, readonly (readonly number[])[]>>;

const program = `import std.nn { GRU, LSTM, LSTMCell, MultiheadAttention, RNN, TransformerEncoderLayer }
fn fill[M: model](net: mut M) {
  let i = 0
  map (p) over (net) {
    p = reshape(0.3 * sin(arange(end: numel(p), dtype: f32) + i), p.shape)
    i = i + 1
  }
}
fn ramp(size: [dim]) -> tensor = reshape(cos(arange(end: product_of(size), dtype: f32)), size)
export fn lstm_net(a: mut LSTM(3, 4, num_layers: 2, bidirectional: true)) -> (f32[5, 2, 8], (f32[4, 2, 4], f32[4, 2, 4])) {
  fill(a)
  a(ramp([5, 2, 3]))
}
export fn gru_net(b: mut GRU(3, 4, num_layers: 2, batch_first: true)) -> (f32[2, 5, 4], f32[2, 2, 4]) {
  fill(b)
  b(ramp([2, 5, 3]), ramp([2, 2, 4]))
}
export fn rnn_net(c: mut RNN(3, 4, nonlinearity: "relu", bidirectional: true)) -> (f32[5, 2, 8], f32[2, 2, 4]) {
  fill(c)
  c(ramp([5, 2, 3]))
}
export fn cell(d: mut LSTMCell(3, 4)) -> (f32[2, 4], f32[2, 4]) {
  fill(d)
  d(ramp([2, 3]), (ramp([2, 4]), ramp([2, 4])))
}
export fn attention(e: mut MultiheadAttention(8, 2)) -> (f32[5, 2, 8], f32[2, 5, 6]) {
  fill(e)
  e(ramp([5, 2, 8]), ramp([6, 2, 8]), ramp([6, 2, 8]))
}
fn mask() -> bool[5, 5] = triu(ones([5, 5]), diagonal: 1) > 0
export fn block(f: mut TransformerEncoderLayer(8, 2, 16, dropout: 0.0, batch_first: true)) -> f32[2, 5, 8] {
  fill(f)
  f(ramp([2, 5, 8]), mask())
}
export fn block_first(
  g: mut TransformerEncoderLayer(8, 2, 16, dropout: 0.0, batch_first: true, norm_first: true, activation: "gelu"),
) -> f32[2, 5, 8] {
  fill(g)
  g(ramp([2, 5, 8]), mask())
}
# In training, dropout between the layers and in attention draws; in evaluation it does not.
export fn drops(
  h: mut LSTM(3, 4, num_layers: 2, dropout: 0.5),
  k: mut MultiheadAttention(8, 2, dropout: 0.5),
) -> (f32, f32, f32, f32) {
  let (x, y) = (ramp([5, 2, 3]), ramp([5, 2, 8]))
  (
    sum(abs(h(x)[0] - h(x)[0])),
    sum(abs(k(y, y, y)[0] - k(y, y, y)[0])),
    sum(abs(h.eval()(x)[0] - h.eval()(x)[0])),
    sum(abs(k.eval()(y, y, y)[0] - k.eval()(y, y, y)[0])),
  )
}`;

const test = suite('layers for sequences');
const instance = instanceOf(program);

const entries = { lstm_net: 'lstm', gru_net: 'gru', rnn_net: 'rnn', cell: 'cell', attention: 'attention' } as const;
for (const [entry, name] of Object.entries({ ...entries, block: 'block', block_first: 'block_first' })) {
  test(name, () => {
    const found = instance.run(entry, []).map(numbers);
    const expected = reference[name] ?? [];
    assert.is(found.length, expected.length);
    found.forEach((values, i) => {
      assert.is(values.length, expected[i]?.length);
      const error = Math.max(...values.map((value, k) => Math.abs(value - (expected[i]?.[k] ?? Number.NaN))));
      assert.ok(error < 5e-6, `result ${i} is off by ${error}`);
    });
  });
}

test('dropout draws in training alone', () => {
  const [between, weights, ...evaluated] = instance.run('drops', []).map((value) => numbers(value)[0] ?? Number.NaN);
  assert.ok((between ?? 0) > 0 && (weights ?? 0) > 0);
  assert.equal(evaluated, [0, 0]);
});

test.run();
