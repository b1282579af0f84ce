// Every operation with its parameters, dtypes and edges gives the values and gradients that PyTorch gives: cases of this project's own,
// written by `operations/generate.py`. The interpreter runs them all, the C backend a sample.

import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BackendName } from '../../cli/backends.js';
import { packageRoot } from '../../cli/package.js';
import { type Group, readGroups } from '../conformance/cases.js';
import { runGroup } from '../conformance/run.js';

const directory = path.join(packageRoot, 'tests', 'reference', 'operations');
const groups = readGroups(directory);
const operations = suite('operations against PyTorch');

async function agree(group: Group, backend: BackendName): Promise<void> {
  const outcomes = await runGroup(group, backend, directory);
  assert.equal(
    outcomes.filter(({ status }) => status !== 'passed').map(({ id, reason }) => `${id}: ${reason}`),
    [],
  );
}

for (const group of groups)
  operations(`${group.group}: ${group.cases.length} cases, by the interpreter`, () => agree(group, 'interpreter'));

/** A sample that takes cases of every group, other ones of each operation. */
const sampled = groups.flatMap(({ cases }) => cases).filter((_, i) => i % 13 === 5);

operations(`${sampled.length} of all cases, in C`, () => agree({ group: 'sampled', cases: sampled }, 'c'));

operations.run();
