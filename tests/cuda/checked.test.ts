// Checked mode: every mistake of tests/planted is found with its line, and nothing is found where there is none.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emulatedFlags } from '../../codegen/build/cuda.js';
import { packageRoot } from '../../codegen/build/places.js';

const test = suite('checked mode');
const root = packageRoot();
const planted = path.join(root, 'tests', 'planted');
const rts = path.join(root, 'codegen', 'rts', 'cuda');
let folder = '';

/** What the report on a kernel says, beside the line. */
const mistakes: readonly (readonly [string, RegExp])[] = [
  ['missing_barrier', /race at byte \d+ of part: .* by thread \d+ of block 0 .*, .* by thread/],
  ['off_by_one', /read of 4 bytes outside of an allocation \(offset 256, 256 allocated\) by thread 63/],
  ['off_by_one_shared', /write of 4 bytes outside of every shared array by thread 63/],
  ['barrier_for_some', /divergent barrier in block 0: 40 threads wait at .*, 24 have returned/],
  ['two_barriers', /divergent barrier: threads of a block wait at .* and at/],
  ['half_a_warp', /a warp does not come together in block 0: 16 threads in an operation of their warp/],
  ['missing_warp_barrier', /race at byte \d+ of part/],
  [
    'blocks_at_one_place',
    /race at byte \d+ of global memory: write by thread 0 of block 0 .*, write by thread 0 of block 1/,
  ],
  ['reads_nothing', /read of byte \d+ of global memory, which nothing was written to/],
  ['copy_not_awaited', /read of byte \d+ of part, which nothing was written to/],
  ['reads_freed', /read of 4 bytes in freed memory/],
  ['ring_without_empty_wait', /an arrival at a barrier whose phase has not ended/],
  ['ring_without_full_wait', /read of byte \d+ of tiles, which nothing was written to/],
  ['ring_without_fence', /td_wgmma_fence is missing/],
  ['ring_without_commit', /nothing waited for a product of a warp group/],
  ['ring_without_wait', /nothing waited for a product of a warp group/],
  ['ring_without_barrier_fence', /td_barrier_fence is missing/],
];
const right = ['sum_right', 'warp_right', 'blocks_add_atomically', 'copy_right', 'ring_right'];
const files = ['planted.cu', 'hopper.cu'];

function execute(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', env });
  assert.is(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

test.before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-planted-'));
  const include = ['-I', rts];
  for (const file of files) {
    const source = path.join(planted, file);
    execute('c++', [...emulatedFlags('checked'), ...include, '-x', 'c++', '-c', source, '-o', `${file}.o`]);
  }
  const sources = ['run', 'memory', 'async', 'hopper'].map((part) => path.join(rts, `tdsl_emu_${part}.cpp`));
  execute('c++', [
    '-std=c++17',
    '-O1',
    '-DTDSL_CHECKED',
    ...include,
    ...sources,
    path.join(planted, 'harness.cpp'),
    ...files.map((file) => `${file}.o`),
    '-o',
    'planted',
    '-ldl',
    '-pthread',
  ]);
});
test.after(() => rmSync(folder, { recursive: true }));

/** FILE:LINE of a mistake. */
function placeOf(name: string): string {
  for (const file of files) {
    const lines = readFileSync(path.join(planted, file), 'utf8').split('\n');
    const at = lines.findIndex((line) => line.split('// bug: ')[1]?.split(', ').includes(name));
    if (at >= 0) return `${file}:${at + 1}`;
  }
  throw new Error(`no mistake ${name}`);
}

for (const [name, report] of mistakes) {
  test(`finds ${name}`, () => {
    const text = execute(path.join(folder, 'planted'), [name]);
    assert.match(text, report);
    assert.match(text, new RegExp(`${placeOf(name).replace('.', '\\.')}\\b`));
  });
}

test('finds nothing where nothing is wrong, in any order of the threads', () => {
  for (const name of right) {
    for (const order of ['0', '1', '7']) {
      const text = execute(path.join(folder, 'planted'), [name], { ...process.env, TDSL_EMU_ORDER: order });
      assert.is(text.trim(), '', name);
    }
  }
});

test.run();
