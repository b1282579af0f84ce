// What the benchmark makes of times: ratios, targets, rows without a peer.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { costs } from '../../bench/costs.js';
import { line, markdown, picture, rowOfCost, rowsOf } from '../../bench/report.js';
import { type Outcome, select, timesOf } from '../../bench/run.js';
import { inputData, type Workload, workloads } from '../../bench/workloads.js';

const workload: Workload = {
  suite: 'memory',
  name: 'softmax',
  model: 'memory',
  fn: 'rows',
  dims: { m: 4 },
  inputs: [],
  peers: ['torch', 'onnxruntime', 'tfjs'],
  flops: 0,
  bytes: 1e6,
  target: { peer: 'best', ratio: [1.6, 1.3] },
};

const outcome: Outcome = {
  workload,
  threads: 2,
  ours: { median: 2, low: 1 },
  fixed: undefined,
  peers: [
    { name: 'torch', version: '1', times: { median: 5, low: 4 } },
    { name: 'onnxruntime', version: '2', times: { median: 3, low: 3 } },
    { name: 'tfjs', version: '', error: 'one thread only' },
  ],
  floorMilliseconds: 1,
  machine: { flops: 1e11, bandwidth: 1e10 },
};

test('times are the median and the lower quartile', () => {
  assert.equal(timesOf([5, 1, 4, 2, 3]), { median: 3, low: 2 });
  assert.equal(timesOf([7]), { median: 7, low: 7 });
});

test('a row for each peer; the target belongs to the fastest', () => {
  const rows = rowsOf(outcome);
  assert.equal(
    rows.map(({ peer, ratio, low_ratio, target, note }) => ({ peer, ratio, low_ratio, target, note })),
    [
      { peer: 'torch', ratio: 2.5, low_ratio: 4, target: null, note: 'torch 1' },
      { peer: 'onnxruntime', ratio: 1.5, low_ratio: 3, target: 1.3, note: 'onnxruntime 2' },
      { peer: 'tfjs', ratio: null, low_ratio: null, target: null, note: 'one thread only' },
    ],
  );
  assert.is(rows[0]?.floor_fraction, 0.5);
  assert.match(markdown(rows), /\*\*1\.50\*\*/);
  assert.match(line(rows[2]), /one thread only/);
  assert.is((picture(rows).match(/<rect x=/g) ?? []).length, 2);
});

test('a cost is compared with its limit, and is not in the picture', () => {
  const cost = { suite: 'compile', name: 'MLP', limit: 300, note: '', measure: async () => [] } as const;
  const row = rowOfCost(cost, 2, { median: 150, low: 100 });
  assert.equal([row.ratio, row.low_ratio, row.target, row.peer_ms], [2, 3, 1, 300]);
  assert.not.match(picture([row]), /<rect x=/);
  assert.is(new Set(costs.map(({ name }) => name)).size, costs.length);
});

test('workloads have names of their own, and inputs of the stated kind', () => {
  assert.is(new Set(workloads.map(({ name }) => name)).size, workloads.length);
  assert.ok(select(['vgg'], true).every(({ suite }) => suite === 'vgg'));
  for (const value of inputData({ name: 'y', dtype: 'i64', shape: [100], below: 3 }))
    assert.ok(value >= 0 && value < 3);
});

test.run();
