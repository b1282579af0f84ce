// The library gives the values and gradients that PyTorch gives: cases of this project's own, written by `reference/reference.py`, run by
// the interpreter after the whole pipeline.

import path from 'node:path';
import { suite } from 'uvu';
import { assertGroup } from '../conformance/agree.js';
import { readGroups } from '../conformance/cases.js';

const directory = path.resolve('tests', 'std', 'reference');
const reference = suite('std against PyTorch');

for (const group of readGroups(directory)) {
  reference(`${group.group}: ${group.cases.length} cases`, () => assertGroup(group, 'interpreter', directory));
}

reference.run();
