// nvcc takes the kernels of an example, and they fit registers; `npm run cuda-examples` does that for all of them. Skipped without nvcc.

import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findNvcc } from '../../codegen/build/nvcc.js';
import { packageRoot } from '../../codegen/build/places.js';
import { MOST_SPILLED, usageOf, usageOfFile } from './nvcc.js';

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
      const usages = await usageOf(nvcc.program, name, arch);
      assert.ok(usages.length > 5, 'the assembler tells about every kernel');
      assert.equal(
        usages.filter(({ spilled }) => spilled > MOST_SPILLED),
        [],
      );
    });
  }

  for (const [precision, arch] of [
    ['tf32', 'sm_90a'],
    ['bf16', 'sm_80'],
  ] as const) {
    test(`products in ${precision} for ${arch}`, async () => {
      const file = path.join(packageRoot(), 'tests', 'cuda', 'products.td');
      const usages = await usageOfFile(nvcc.program, file, arch, precision);
      assert.is(usages.filter(({ kernel }) => kernel.endsWith('_wgmma')).length, precision === 'tf32' ? 5 : 6);
      assert.equal(
        usages.filter(({ spilled }) => spilled > MOST_SPILLED),
        [],
      );
    });
  }

  for (const arch of ['sm_80', 'sm_90a']) {
    test(`two blocks of a convolution for ${arch} fit a processor`, async () => {
      const file = path.join(packageRoot(), 'tests', 'cuda', 'convolutions.td');
      const usages = await usageOfFile(nvcc.program, file, arch);
      const bad = usages.filter(({ registers, spilled }) => registers > 128 || spilled > MOST_SPILLED);
      assert.equal(bad, []);
    });
  }

  for (const [precision, arch] of [
    ['f32', 'sm_90a'],
    ['tf32', 'sm_80'],
    ['bf16', 'sm_90a'],
  ] as const) {
    test(`attention in ${precision} for ${arch}`, async () => {
      const file = path.join(packageRoot(), 'tests', 'cuda', 'attention.td');
      const usages = await usageOfFile(nvcc.program, file, arch, precision);
      assert.equal(
        usages.filter(({ spilled }) => spilled > MOST_SPILLED),
        [],
      );
    });
  }
}

test.run();
