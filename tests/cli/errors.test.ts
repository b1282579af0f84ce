// The command line as somebody meets it who gets something wrong: the exit status says whose fault it was, and the message what to do.

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fileError } from '../../cli/errors.js';
import { publish, writeAll, writeAtomically } from '../../codegen/build/files.js';

const tdsl = path.resolve('bin', 'tdsl.js');
const mlp = path.resolve('examples', 'mlp.td');
const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-cli-'));

test.before(() => {
  const eye = Array.from({ length: 64 }, (_, i) => Array.from({ length: 64 }, (_, j) => Number(i === j)));
  const files: Readonly<Record<string, string>> = {
    'broken.td': 'fn f(x: f32[2]) -> f32[3] = x\n',
    'right.td': 'export fn f(x: f32[2]) -> f32[2] = 2 * x\n',
    'my model.td': 'export fn f(x: f32[2]) -> f32[2] = 2 * x\n',
    'bound.td': 'export fn f(x: f32[2]) -> f32[2] = while sum(y) > 0 max 2 from y = x { y - 0.1 }\n',
    'pair.json': '[[1, 2]]',
    'product.td': 'export fn f(x: f32[64, 64], w: f32[64, 64]) -> f32[64, 64] = x @ w\n',
    'product.json': JSON.stringify([eye, eye.map((row) => row.map(() => 1 + 2 ** -9 + 2 ** -12))]),
    'nothing.td': 'fn f(x: f32[2]) -> f32[2] = x\n',
    'large.td': 'export fn f(x: i64[2]) -> i64[2] = x * 9007199254740993\n',
    'latin1.td': '',
    'text.tdir': 'no IR\n',
    'mixed.tdir':
      'tdir 1\nprogram p {\n  entry f = @f {\n    in (argument x)\n    out (result "")\n    argument x: 0 bf16[2]\n    result 0 bf16[2]\n  }\n}\n' +
      'fn f(%x: bf16[2]) -> bf16[2] {\n  %mul = mul %x, f32(0.7) : bf16[2]\n  return %mul\n}\n',
    'list.json': '[[1, 2], [3, 4]]',
    'shape.json': '[[1, 2, 3]]',
    'ragged.json': '[[[1], 2]]',
    'broken.json': '{',
    'weights.safetensors': 'no weights',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  writeFileSync(path.join(folder, 'latin1.td'), Buffer.from('fn f(x: f32) -> f32 = caf\xe9(x)\n', 'latin1'));
  mkdirSync(path.join(folder, 'folder.td'));
  mkdirSync(path.join(folder, 'bin'));
  symlinkSync(process.execPath, path.join(folder, 'bin', 'node'));
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [tdsl, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

/** Command lines that fail: the arguments, the status, and what the message says. */
const failures: readonly (readonly [args: string, status: number, message: RegExp])[] = [
  ['run bound.td --fn f --args pair.json', 1, /bound\.td:1:36: the loop is not at its end after 2 trips/],
  ['run bound.td --fn f --args pair.json --backend c', 1, /bound\.td:1:36: .* still held after 2 rounds/],
  ['explain right.td', 2, /required option '--fn/],
  ['explain right.td --fn f --format pdf', 2, /--format takes text, md, html, got 'pdf'/],
  ['explain right.td --fn g', 1, /`g`/],
  ['compile right.td --cpu pentium5', 2, /--cpu takes portable, native, .* got 'pentium5'/],
  ['size right.td --dim B=2', 1, /there is no run-time dimension B; there are none/],
  ['size right.td --fn g', 1, /there is no function 'g'; there are f/],
  ['size right.td --dim B', 2, /--dim takes NAME=SIZE, got 'B'/],
  ['nonsense', 2, /unknown command 'nonsense'/],
  ['check', 2, /missing required argument 'files'/],
  ['check --wrong right.td', 2, /unknown option '--wrong'/],
  ['check missing.td', 1, /there is no file missing\.td/],
  ['check folder.td', 1, /folder\.td is a folder/],
  ['check broken.td', 1, /error\[E0302\][\s\S]*broken\.td:1:29[\s\S]*1 error/],
  ['check large.td', 1, /error\[E0319\][\s\S]*integers of the program are below 2\^53: a larger i64 is an argument/],
  ['check latin1.td', 1, /error\[E0101\][\s\S]*latin1\.td:1:26/],
  ['fmt folder.td', 1, /folder\.td is a folder/],
  ['compile missing.td', 1, /there is no file missing\.td/],
  ['compile nothing.td', 1, /exports no function/],
  ['compile right.td --target wrong', 2, /--target takes c or cuda, got 'wrong'/],
  ['compile right.td --precision tf32', 2, /--precision is for --target cuda, got --target c: leave it out/],
  ['compile right.td --arch sm_80', 2, /--arch is for --target cuda, got --target c: leave it out/],
  ['compile right.td --target cuda --precision f8', 2, /--precision takes f32, tf32, bf16, got 'f8'/],
  ['compile right.td --target cuda --arch hopper', 2, /--arch takes names such as sm_80 and compute_90, got 'hopper'/],
  ['compile right.td --target cuda --arch sm_75', 2, /--arch takes sm_80 and later, .*, got 'sm_75'/],
  ['compile right.td --emit wrong', 2, /--emit takes addon, lib, source, got 'wrong'/],
  ['compile right.td --dev --release', 2, /exclude each other/],
  ['compile right.td --dim B', 2, /--dim takes NAME=SIZE, got 'B'/],
  ['compile right.td --dim B=2', 1, /the file has no dimension `B`/],
  ['compile right.td --emit source -o right.td/out', 1, /cannot use .*right\.td\/out/],
  ['ir right.td --after wrong', 1, /there is no stage 'wrong'; the stages are lower/],
  ['ir right.td --fn g', 1, /the file has no function `g`[\s\S]*it has f/],
  ['ir right.td --format wrong', 2, /--format takes text, json, dot, html/],
  ['ir text.tdir', 1, /text\.tdir:1:1: expected 'tdir'/],
  ['compile right.td --dev -o /proc/x', 1, /cannot use \/proc\/x: no folder can be made there/],
  ['new /proc/x', 1, /cannot use \/proc\/x: no folder can be made there/],
  ['size mixed.tdir', 1, /mixed\.tdir: @f: %mul = .*: operand 1 must be bf16, got f32/],
  ['run right.td', 2, /required option '--fn <name>'/],
  ['run right.td --fn g', 1, /the file has no function `g`/],
  ['run right.td --fn f', 1, /f takes 1 argument \(x\): give them with --args/],
  ['run right.td --fn f --args missing.json', 1, /there is no file missing\.json/],
  ['run right.td --fn f --args broken.json', 1, /broken\.json: not JSON/],
  ['run right.td --fn f --args list.json', 1, /f takes 1 argument \(x\), list\.json has 2/],
  ['run right.td --fn f --args shape.json', 1, /x.*\[3\]/],
  ['run right.td --fn f --args ragged.json', 1, /x\[1\]: the lists have different lengths/],
  ['run right.td --fn f --backend wrong --args list.json', 2, /--backend takes interpreter, c, .*, got 'wrong'/],
  [
    'run right.td --fn f --precision tf32',
    2,
    /--precision is for --backend cuda or cuda-emulated, got --backend interp/,
  ],
  [
    'run right.td --fn f --backend c --precision bf16',
    2,
    /--precision is for --backend cuda or cuda-em.*, got --backend c/,
  ],
  ['run right.td --fn f --backend cuda --precision f8', 2, /--precision takes f32, tf32, bf16, got 'f8'/],
  ['run right.td --fn f --seed wrong', 2, /--seed takes an integer/],
];

for (const [args, status, message] of failures) {
  test(`tdsl ${args}`, () => {
    const result = run(args.split(' '));
    assert.match(result.stderr, message);
    assert.not.match(result.stderr, /internal error/);
    assert.is(result.status, status);
  });
}

test('an error of writing names the file that is written', async () => {
  const written = '/proc/x';
  const from = path.join(folder, 'right.td');
  const errors = [
    await publish(from, written).catch((error: unknown) => error),
    await writeAll('/proc', [['x', '']]).catch((error: unknown) => error),
  ];
  try {
    writeAtomically(written, '');
  } catch (error) {
    errors.push(error);
  }
  assert.is(errors.length, 3);
  for (const error of errors) assert.match(fileError(error)?.message ?? '', 'cannot use /proc/x: ');
  const full = Object.assign(new Error('no space'), {
    code: 'ENOSPC',
    path: '/cache/model.so',
    dest: '/out/model.node',
  });
  assert.is(fileError(full)?.message, 'cannot use /out/model.node: the disk is full');
});

test('names in any script make folders of their own', () => {
  const texts = ['модель', '模型'].map((name) => {
    writeFileSync(path.join(folder, `${name}.td`), 'export fn f(x: f32[2]) -> f32[2] = 2 * x\n');
    const { status, stderr } = run(['compile', `${name}.td`, '--emit', 'source']);
    assert.is(status, 0, stderr);
    return readFileSync(path.join(folder, 'build', name, 'build.sh'), 'latin1');
  });
  assert.is(new Set(texts).size, 2);
  for (const text of texts) assert.match(text, /^[\0-\x7f]*$/);
});

test('text IR of any stage is a program', () => {
  const text = run(['ir', mlp, '--after', 'fuse']).stdout;
  assert.match(text, / = kernel @/);
  writeFileSync(path.join(folder, 'fused.tdir'), text);
  assert.is(run(['size', 'fused.tdir']).stdout, run(['size', mlp]).stdout);
});

test('a name with a space names a module', () => {
  const result = run(['compile', 'my model.td', '--emit', 'source', '-o', 'out']);
  assert.is(result.status, 0, result.stderr);
  assert.ok(existsSync(path.join(folder, 'out', 'build.sh')));
});

test('a run in the emulator rounds products as the precision says', () => {
  const product = (precision: string): number => {
    const args = ['--args', 'product.json', '--backend', 'cuda-emulated', '--precision', precision];
    const { status, stdout, stderr } = run(['run', 'product.td', '--fn', 'f', ...args]);
    assert.is(status, 0, stderr);
    return (JSON.parse(stdout) as { readonly data: readonly [number] }).data[0];
  };
  assert.equal(['f32', 'tf32', 'bf16'].map(product), [1 + 2 ** -9 + 2 ** -12, 1 + 2 ** -9, 1]);
});

test('explain writes text, Markdown and a page', () => {
  const written = (format: string): string => {
    const { status, stdout, stderr } = run(['explain', 'right.td', '--fn', 'f', '--format', format]);
    assert.is(status, 0, stderr);
    return stdout;
  };
  assert.match(
    written('text'),
    /^backward\n {3}2 {2}%d_x = mul [\s\S]*of 1 {2}%mul = [\s\S]*d mul\(x, y\) = y · dx \+ x · dy/m,
  );
  assert.match(written('md'), /^\| 2 \| `%d_x = mul .*\| 1 `%mul = .*` \| d mul\(x, y\)/m);
  assert.match(written('html'), /<tr id="f0-1">[\s\S]*<a href="#f0-1">/);
});

test('check prints the diagnostics as JSON', () => {
  const { status, stdout } = run(['check', 'broken.td', '--json']);
  assert.is(status, 1);
  const [found] = JSON.parse(stdout) as { code: string; path: string; start: unknown }[];
  assert.equal([found?.code, found?.path, found?.start], ['E0302', 'broken.td', { line: 1, column: 29 }]);
});

test('a machine without a compiler is told what to install, and can still check and run', () => {
  const env = { PATH: path.join(folder, 'bin'), CC: '', CXX: '' };
  const compiled = run(['compile', mlp, '-o', 'module'], env);
  assert.is(compiled.status, 3, compiled.stderr);
  assert.match(compiled.stderr, /cannot build native code: .*C compiler/);
  const left = existsSync(path.join(folder, 'module')) ? readdirSync(path.join(folder, 'module')) : [];
  assert.equal(left, [], 'nothing half written');
  assert.is(run(['check', mlp], env).status, 0);
  const doctor = run(['doctor'], env);
  assert.is(doctor.status, 3);
  assert.match(doctor.stdout, /missing C compiler/);
});

test('a reader that stops early is no error', () => {
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', `"$0" "${tdsl}" ir "${mlp}" --all | head -n 1`, process.execPath],
    {
      encoding: 'utf8',
    },
  );
  assert.is(status, 0);
  assert.match(stdout, /^# after lower\n$/);
  assert.is(stderr, '');
});

test.run();
