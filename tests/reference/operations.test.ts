// Every operation with its parameters, dtypes and edges gives the values and gradients that PyTorch gives: cases of this project's own,
// written by `operations/generate.py`. The interpreter runs them all, the C backend a sample.

import path from 'node:path';
import { suite } from 'uvu';
import { packageRoot } from '../../cli/package.js';
import { assertGroup } from '../conformance/agree.js';
import { readGroups } from '../conformance/cases.js';

const directory = path.join(packageRoot, 'tests', 'reference', 'operations');
const groups = readGroups(directory);
const operations = suite('operations against PyTorch');

for (const group of groups)
  operations(`${group.group}: ${group.cases.length} cases, by the interpreter`, () =>
    assertGroup(group, 'interpreter', directory),
  );

/** A sample that takes cases of every group, other ones of each operation. */
const sampled = groups.flatMap(({ cases }) => cases).filter((_, i) => i % 13 === 5);

operations(`${sampled.length} of all cases, in C`, () =>
  assertGroup({ group: 'sampled', cases: sampled }, 'c', directory),
);

operations.run();
