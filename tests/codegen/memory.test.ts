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

/** Dimensions as the benchmark has them; the plan has to do for few rows and for many as well. */
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
    for (const B of [1, 3, 16, dims.B as number, 200, 1024, 4096]) {
      const given = new Map(Object.entries({ ...dims, B }));
      const ratio = offsetsOf(workspace, given).end / liveBytes(workspace, given);
      assert.ok(ratio <= 1.1, `${ratio} at B=${B}`);
    }
  });
}

test.run();
