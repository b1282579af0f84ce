// Reference cases as tests: a group passes when each of its cases does, and its failures are named.

import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BackendName } from '../../cli/backends.js';
import { packageRoot } from '../../cli/package.js';
import { type Group, readGroups } from './cases.js';
import { runGroup } from './run.js';

/** Where programs, host functions and invalid programs of the reference cases are. */
export const transcriptionFolder = path.join(packageRoot, 'tests', 'conformance');
/** The reference cases of the repository. */
export const caseFolder = path.join(transcriptionFolder, 'cases');

/** Runs the cases of a group on a backend, and fails with what is wrong with those that do not pass. */
export async function assertGroup(group: Group, backend: BackendName, transcriptions: string): Promise<void> {
  const outcomes = await runGroup(group, backend, transcriptions);
  assert.equal(
    outcomes.filter(({ status }) => status !== 'passed').map(({ id, reason }) => `${id}: ${reason}`),
    [],
  );
}

/** Runs all reference cases of the repository on a backend, a test for each group. */
export function testConformance(backend: BackendName): void {
  const test = suite(`reference cases, ${backend}`);
  for (const group of readGroups(caseFolder)) {
    test(`${group.group}: ${group.cases.length} cases`, () => assertGroup(group, backend, transcriptionFolder));
  }
  test.run();
}
