// Loops that one block runs from the first trip to the last: which they are, that they give what the interpreter gives in every order of threads, that
// checked mode has nothing to say about them, and that faults in them are told.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BackendName, instantiate, interpret } from '../../cli/backends.js';
import { build, lower } from '../../cli/build.js';
import { loadProgram } from '../../cli/frontend.js';
import { packageRoot } from '../../codegen/build/places.js';
import { type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { inEveryOrder } from './orders.js';

const test = suite('loops in one block');
const root = packageRoot();
process.env.TDSL_CACHE_DIR ??= path.join(root, '.cache', 'tdsl');
const lowered = lower(loadProgram(path.join(root, 'tests', 'cuda', 'resident.td'), { dims: {} }));

/** Numbers between -1 and 1 that look random. */
const numbers = (...shape: readonly number[]): HostTensor =>
  hostTensor(
    'f32',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(12.9898 * i + shape.length)),
  );
const places = (first: number): HostTensor => hostTensor('i64', [10], [first, 3, 5, 7, 11, 2, 4, 6, 8, 10]);
const small: readonly (readonly [string, readonly HostTensor[]])[] = [
  ['recurrence', [numbers(16, 16), numbers(9, 4, 16)]],
  ['recurrence_gradient', [numbers(16, 16), numbers(9, 4, 16)]],
  ['states', [numbers(16, 16), numbers(9, 4, 16)]],
  ['nested', [numbers(12)]],
  ['roots', [numbers(10, 10)]],
  ['inverted', [numbers(10, 10)]],
  ['looked_up', [numbers(12), places(1)]],
];
const branches: typeof small = [
  ['branch', [numbers(8, 8)]],
  ['branch', [hostTensor('f32', [8, 8], new Array(64).fill(-1))]],
];

test('are those with little to do, known sizes and a bound', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-resident-'));
  try {
    await build(lowered, { outDir: folder, mode: 'dev', emit: 'source', cuda: 'gpu' });
    const text = readFileSync(path.join(folder, 'model.c'), 'utf8');
    const loopsOf = new Map(
      text
        .split('static tdsl_status run_')
        .slice(1)
        .map((run) => [/^\d+_(\w+)/.exec(run)?.[1] ?? '', run]),
    );
    for (const [name] of small) {
      assert.match(loopsOf.get(name) ?? '', /\bloop_\d+\(&args\)/, name);
      assert.not.match(loopsOf.get(name) ?? '', /\bfor \(/, name);
    }
    for (const name of ['much', 'unknown', 'unbounded']) {
      assert.not.match(loopsOf.get(name) ?? '', /\bloop_\d+\(&args\)/, name);
      assert.match(loopsOf.get(name) ?? '', /\bfor \(/, name);
    }
    assert.match(loopsOf.get('mixed') ?? '', /\bfor \([\s\S]*\bloop_\d+\(&args\)/);
    assert.match(loopsOf.get('branch') ?? '', /TDSL_IF[\s\S]*\bloop_\d+\(&args\)/);
    assert.not.match(loopsOf.get('branch') ?? '', /tdsl_flag/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const backend of ['cuda-emulated', 'cuda-checked'] satisfies readonly BackendName[]) {
  test(`${backend} gives what the interpreter gives, the same bits in every order of threads`, async () => {
    const instance = await instantiate(lowered, backend);
    const reference = interpret(lowered.program);
    for (const [name, inputs] of [...small, ...branches]) {
      const [first, ...others] = inEveryOrder(() =>
        instance.run(name, inputs).map(({ data }) => [...data].map(Number)),
      );
      for (const other of others) assert.equal(other, first, name);
      const wanted = reference.run(name, inputs).map(({ data }) => [...data].map(Number));
      for (const [i, want] of wanted.entries()) {
        for (const [k, value] of want.entries()) {
          const got = first?.[i]?.[k] ?? Number.NaN;
          assert.ok(Math.abs(got - value) <= 1e-4 * (1 + Math.abs(value)), `${name}: ${got}, want ${value}`);
        }
      }
    }
  });
}

test('a fault in a trip is told with its place', async () => {
  const instance = await instantiate(lowered, 'cuda-emulated');
  const run = (first: number) => () => instance.run('looked_up', [numbers(12), places(first)]);
  assert.throws(run(12), /resident\.td:\d+:\d+.*12/);
  assert.not.throws(run(11));
});

test.run();
