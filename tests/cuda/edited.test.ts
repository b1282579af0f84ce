// The worked example of docs/cuda.md: an emitted kernel that lost a barrier is found out by the commands that are given there, and the kernel as it
// was emitted gives the result.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { build, lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { packageRoot } from '../../codegen/build/places.js';

const test = suite('a kernel that was changed');
const BARRIER = '__syncthreads();';
let folder = '';

/** The program, main.c, the commands and the report of the section. */
const [program = '', main = '', commands = '', report = ''] = [
  ...(readFileSync(path.join(packageRoot(), 'docs', 'cuda.md'), 'utf8')
    .split('## Check a kernel that you have changed')[1]
    ?.matchAll(/```\w*\n([\s\S]*?)```/g) ?? []),
].map(([, text = '']) => text);

test.before(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-edited-'));
  const file = path.join(folder, 'sums.td');
  writeFileSync(file, program);
  writeFileSync(path.join(folder, 'main.c'), main);
  await build(lower(loadProgram(file, { dims: {} })), { outDir: folder, mode: 'dev', emit: 'source', cuda: 'gpu' });
});
test.after(() => rmSync(folder, { recursive: true }));

/** What the commands print. */
function run(): string {
  const { stdout, stderr } = spawnSync('sh', ['-c', commands], { cwd: folder, encoding: 'utf8' });
  return `${stdout}${stderr}`;
}

test('runs as it was emitted', () => assert.is(run(), '5000 5000 5000 5000\n'));

test('is told where it reads what another thread has not yet written', () => {
  const file = path.join(folder, 'kernels_0.cu');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(BARRIER, ''));
  assert.is(run(), report);
  const reads = text.split('\n').findIndex((line) => line.includes(BARRIER)) + 2;
  assert.match(report, new RegExp(`\\(kernels_0\\.cu:${reads}\\)`));
});

test.run();
