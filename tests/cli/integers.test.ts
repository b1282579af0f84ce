// Integers in the arguments and results of `tdsl run`: they are read and printed in all their digits, and none that a dtype cannot hold gets in.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const tdsl = path.resolve('bin', 'tdsl.js');
const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-integers-'));

test.before(() => {
  const dtypes = ['i64', 'i32', 'i16', 'i8', 'u8', 'bool', 'f64'];
  const program = dtypes.map((dtype) => `export fn of_${dtype}(x: ${dtype}[n]) -> ${dtype}[n] = x\n`);
  writeFileSync(path.join(folder, 'same.td'), `${program.join('')}export fn count(n: dim) -> f32[n] = zeros([n])\n`);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

function run(fn: string, json: string): { readonly status: number | null; readonly stdout: string; stderr: string } {
  writeFileSync(path.join(folder, 'args.json'), json);
  return spawnSync(process.execPath, [tdsl, 'run', 'same.td', '--fn', fn, '--args', 'args.json'], {
    cwd: folder,
    encoding: 'utf8',
  });
}

/** Expects the elements, as text, of the function's result on the elements given as text. */
function keeps(dtype: string, given: string, expected = given): void {
  const { status, stdout, stderr } = run(`of_${dtype}`, `[[${given}]]`);
  assert.is(status, 0, stderr);
  assert.is(stdout, `{"dtype":"${dtype}","shape":[${given.split(',').length}],"data":[${expected}]}\n`);
}

function refuses(dtype: string, given: string, message: RegExp): void {
  const { status, stdout, stderr } = run(`of_${dtype}`, given);
  assert.match(stderr, message);
  assert.not.match(stderr, /internal error/);
  assert.is(status, 1);
  assert.is(stdout, '');
}

test('i64 keeps all its digits', () => {
  keeps('i64', '9007199254740993,-9223372036854775808,9223372036854775807,0,-1');
  keeps(
    'i64',
    '1e3,9.007199254740993e15,1.0,123456789012345e3,0e9,"9007199254740993"',
    '1000,9007199254740993,1,123456789012345000,0,9007199254740993',
  );
});

test('what an integer dtype cannot hold is refused, with its place and the range', () => {
  const range = /-9223372036854775808 to 9223372036854775807; give another number, or declare a dtype/;
  refuses('i64', '[[1, 18446744073709551617]]', /x\[1\]: 18446744073709551617 is beyond the range of i64, which is /);
  refuses('i64', '{"x": {"shape": [2], "data": [0, 1e30]}}', /x\.data\[1\]: 10{30} is beyond the range of i64/);
  refuses('i64', '[[9223372036854775808]]', range);
  refuses('i64', '[[1e500]]', /x\[0\]: Infinity is not a whole number/);
  refuses('i64', '[[0.99999999999999999999]]', /x\[0\]: 0\.99999999999999999999 is not a whole number/);
  refuses('i64', '[[1e-400]]', /x\[0\]: 1e-400 is not a whole number/);
  refuses('i64', '[["nan"]]', /x\[0\]: NaN is not a whole number/);
  refuses('i32', '[[2147483648]]', /2147483648 is beyond the range of i32, which is -2147483648 to 2147483647/);
  refuses('i16', '[[-32769]]', /-32769 is beyond the range of i16, which is -32768 to 32767/);
  refuses('i8', '[[128]]', /128 is beyond the range of i8, which is -128 to 127/);
  refuses('u8', '[[-1]]', /-1 is beyond the range of u8, which is 0 to 255/);
  refuses('u8', '[[1.5]]', /x\[0\]: 1\.5 is not a whole number/);
  refuses('bool', '[[true, 2]]', /x\[1\]: 2 is no element of bool; give true or false, or 1 or 0/);
});

test('other elements are read as before', () => {
  keeps('bool', 'true,false,1,0', 'true,false,true,false');
  keeps('f64', '1e30,"nan","-inf",0.1234567890123456,1e-7', '1e+30,"nan","-inf",0.1234567890123456,1e-7');
  refuses('f64', '[["1 2"]]', /expected a number, .* found "1 2"/);
});

test('sizes are whole numbers that are not negative', () => {
  refuses(
    'f64',
    '[{"shape": [-1], "data": []}]',
    /x\.shape\[0\]: expected a whole number that is not negative, found -1/,
  );
  const { status, stderr } = run('count', '[1e30]');
  assert.is(status, 1);
  assert.match(stderr, /n: expected a whole number that is not negative/);
});

test.run();
