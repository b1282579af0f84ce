// The comparison of td_* functions between emulator and card (bench/gpu/wrappers.py), over the stand-in for a driver: it agrees with itself, and tells
// what differs.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildWrappers } from '../../bench/gpu/wrappers.js';

const test = suite('wrappers');
const hasPython = spawnSync('python3', ['--version']).status === 0;

if (!hasPython) {
  test('skipped', () => {
    console.log('SKIP the comparison of td_* functions: there is no python3');
  });
} else {
  test('all functions agree with what was recorded, and a wrong word is found', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-wrappers-'));
    try {
      const env = await buildWrappers(folder, path.join(folder, 'stand-in'), []);
      const compare = () => spawnSync('python3', [path.join(folder, 'wrappers.py'), folder], { encoding: 'utf8', env });
      const { status, stdout, stderr } = compare();
      assert.is(status, 0, `${stdout}${stderr}`);
      assert.is(stdout.match(/^ok /gm)?.length, 16, stdout);
      const file = path.join(folder, 'wrappers', 'ldmatrix.out');
      const words = readFileSync(file);
      words[8] = (words[8] ?? 0) ^ 1;
      writeFileSync(file, words);
      assert.match(compare().stdout, /^FAIL ldmatrix$/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test.run();
