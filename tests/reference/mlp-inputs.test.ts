// That both sides of the comparison with PyTorch train the same network on the same digits.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TypedArray } from '../../runtime/dtype.js';
import { BATCH, mlpBatches, mlpOrder, mlpParameters, SEED, STEPS } from './mlp-inputs.js';

const file = new URL('../../../tests/reference/mlp_losses.json', import.meta.url);
const reference = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly seed: number;
  readonly batch: number;
  readonly steps: number;
  readonly sha256: Readonly<Record<string, string>>;
};

function sha256(arrays: readonly TypedArray[] | readonly Uint32Array[]): string {
  const hash = createHash('sha256');
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex');
}

test('parameters, order and batches are those that PyTorch had', async () => {
  assert.equal([reference.seed, reference.batch, reference.steps], [SEED, BATCH, STEPS]);
  const batches = await mlpBatches();
  const found: Record<string, string> = {
    order: sha256([mlpOrder(10_000)]),
    x: sha256(batches.map(({ x }) => x.data)),
    y: sha256(batches.map(({ y }) => y.data)),
  };
  for (const [name, { data }] of Object.entries(mlpParameters())) found[name] = sha256([data]);
  assert.equal(found, reference.sha256);
});

test.run();
