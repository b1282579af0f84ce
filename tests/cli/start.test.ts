// The command line keeps the code that V8 made of it, and works with whatever it finds in its place.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import nodeModule from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadScript } from '../../cli/kept-code.js';
import { packageRoot } from '../../cli/package.js';

const test = suite('start');
const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-start-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const file = path.join(folder, 'p.td');
writeFileSync(file, 'tdsl 1\nexport fn twice(x: f32[3]) -> f32[3] = x + x\n');
const cache = path.join(folder, 'cache');

function check(directory = cache): string {
  const args = [path.join(packageRoot, 'bin', 'tdsl.js'), 'check', file];
  const env = { ...process.env, TDSL_CACHE_DIR: directory };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  assert.is(stderr, '');
  assert.is(status, 0);
  return stdout;
}

/** Later versions of Node keep code themselves. */
const keepsCode = !('enableCompileCache' in nodeModule);

test('code is kept, and what is no code is replaced', () => {
  const first = check();
  assert.match(first, 'ok');
  if (!keepsCode) return;
  const code = path.join(cache, 'code');
  const names = readdirSync(code);
  assert.is(names.length, 1);
  const kept = path.join(code, names[0] as string);
  const whole = readFileSync(kept).length;
  for (const spoil of [() => truncateSync(kept, 1000), () => writeFileSync(kept, 'xyz')]) {
    spoil();
    assert.is(check(), first);
    assert.ok(readFileSync(kept).length > whole / 2);
  }
  assert.equal(readdirSync(code), names);
});

test('a cache that cannot be written does not matter', () => {
  assert.match(check(path.join(file, 'cache')), 'ok');
});

test('a script is loaded once, however often a process asks for it', () => {
  const script = path.join(folder, 'script.cjs');
  writeFileSync(script, 'module.exports = { made: {} };');
  const first = loadScript(script);
  const listeners = process.listenerCount('exit');
  assert.is(loadScript(script), first);
  assert.is(process.listenerCount('exit'), listeners);
});

test.run();
