// The library gives the values and gradients that PyTorch gives: cases of this project's own, written by `reference/reference.py`, run by
// the interpreter after the whole pipeline.

import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readGroups } from '../conformance/cases.js';
import { runGroup } from '../conformance/run.js';

const directory = path.resolve('tests', 'std', 'reference');
const reference = suite('std against PyTorch');

for (const group of readGroups(directory)) {
  reference(`${group.group}: ${group.cases.length} cases`, async () => {
    const outcomes = await runGroup(group, 'interpreter', directory);
    assert.equal(
      outcomes.filter(({ status }) => status !== 'passed').map(({ id, reason }) => `${id}: ${reason}`),
      [],
    );
  });
}

reference.run();
