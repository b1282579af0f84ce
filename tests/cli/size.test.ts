// `tdsl size`: formulas in the dimensions, bytes where they are given, and that a call indeed takes so much.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-size-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const file = path.join(folder, 'two.td');
writeFileSync(
  file,
  `dim n
export fn twice(x: f32[n, 16]) -> f32[n] = sum(exp(x - max(x)), 1)
export fn double(x: f64[n]) -> f64[n] = 2 * x
`,
);

function size(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.resolve('bin', 'tdsl.js'), 'size', file, ...args],
    {
      encoding: 'utf8',
    },
  );
  assert.is(status, 0, stderr);
  return stdout;
}

test('memory as formulas in the dimensions', () => {
  const text = size();
  assert.match(text, /^state: 0 bytes\n/);
  assert.match(text, /twice\(n\)\n {2}peak .*\n {2}arguments 64\*n\n {2}results {3}4\*n\n {2}workspace /);
  assert.match(
    text,
    /double\(n\)\n {2}peak {6}16\*n\n {2}arguments 8\*n\n {2}results {3}8\*n\n {2}workspace 0 bytes\n/,
  );
});

test('bytes where the dimensions are given', () => {
  const text = size('--fn', 'double', '--dim', 'n=1000');
  assert.match(text, /double\(n\)\n {2}peak {6}16,000 bytes\n/);
  assert.not.match(text, /twice/);
});

test('the workspace beside what lives in it, and the scratch memory of threads', () => {
  const chain = path.join(folder, 'chain.td');
  writeFileSync(
    chain,
    'dim n\nexport fn chain(x: f32[n, 300], w: f32[300, 300]) -> f32[n, 300] = tanh(tanh(x @ w) @ w) @ w\n',
  );
  const of = (...args: readonly string[]): string =>
    spawnSync(process.execPath, [path.resolve('bin', 'tdsl.js'), 'size', chain, ...args], { encoding: 'utf8' }).stdout;
  const scratch = (text: string): number =>
    Number(/\n {2}scratch {3}([\d,]+) bytes/.exec(text)?.[1]?.replaceAll(',', ''));
  const [one, three] = [of('--threads', '1'), of('--threads', '3')];
  assert.match(one, / {2}workspace 2400\*n \+ 96 at most\n {2}scratch {3}[\d,]+ bytes for 1 thread\n$/);
  assert.match(three, / bytes for 3 threads\n$/);
  assert.is(scratch(three), 3 * scratch(one));
  const peak = (text: string): number => Number(/peak {6}4800\*n \+ (\d+)/.exec(text)?.[1]);
  assert.is(peak(three) - peak(one), 2 * scratch(one));
  const given = [path.resolve('bin', 'tdsl.js'), 'size', chain, '--dim', 'n=10'];
  const { stdout: bytes } = spawnSync(process.execPath, given, { encoding: 'utf8' });
  assert.match(bytes, / {2}workspace 24,064 bytes, 1\.00 times the 24,000 that live at once\n/);
});

test('copies that indexing could not absorb', () => {
  const joined = path.join(folder, 'joined.td');
  writeFileSync(joined, 'dim n\nexport fn joined(x: f32[n], y: f32[n]) -> f32[2 * n] = cat([x, y])\n');
  const { stdout } = spawnSync(process.execPath, [path.resolve('bin', 'tdsl.js'), 'size', joined], {
    encoding: 'utf8',
  });
  assert.match(stdout, /\n {2}copies {4}8\*n by 1 kernel\n$/);
  assert.not.match(size(), /copies/);
});

test.run();
