// nvcc takes the kernels of an example, and they fit registers; `npm run cuda-examples` does that for all of them. Skipped without nvcc.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findNvcc } from '../../codegen/build/identity.js';
import { MOST_SPILLED, usageOf } from './nvcc.js';

const test = suite('nvcc');
const nvcc = await findNvcc();

if (nvcc === undefined) {
  test('skipped', () => {
    console.log('SKIP kernels for GPUs: nvcc was not found');
  });
} else {
  for (const [name, arch] of [
    ['softmax_regression', 'sm_80'],
    ['recurrent', 'sm_90a'],
  ] as const) {
    test(`the kernels of ${name} for ${arch}`, async () => {
      const usages = await usageOf(nvcc, name, arch);
      assert.ok(usages.length > 5, 'the assembler tells about every kernel');
      assert.equal(
        usages.filter(({ spilled }) => spilled > MOST_SPILLED),
        [],
      );
    });
  }
}

test.run();
