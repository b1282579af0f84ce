// The workspaces of the benchmark's training steps hold little more than what lives in them at once.

import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { packageRoot } from '../../codegen/build/places.js';
import { generate } from '../../codegen/generate.js';
import { type Machine, machines } from '../../codegen/kernel/machine.js';
import { liveBytes, offsetsOf } from '../../codegen/plan/memory.js';

/** Dimensions as the benchmark has them. */
const sizes: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  mlp: { B: 64 },
  lenet: { B: 64 },
  vgg: { B: 32 },
  gpt: { B: 16, T: 64 },
  lstm: { B: 32, T: 64 },
};

for (const [model, dims] of Object.entries(sizes)) {
  test(`the workspace of a step of ${model} is at most 1.1 times what lives in it at once`, () => {
    const { program } = lower(loadProgram(path.join(packageRoot(), 'bench', 'models', `${model}.td`)));
    const { plan } = generate(program, {
      target: 'c',
      version: 'test',
      sourceHash: '',
      machines: [machines[0] as Machine],
    });
    const { workspace } = plan.entries.get('step')!;
    const given = new Map(Object.entries(dims));
    const ratio = offsetsOf(workspace, given).end / liveBytes(workspace, given);
    assert.ok(ratio <= 1.1, String(ratio));
  });
}

test.run();
