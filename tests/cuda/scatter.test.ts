// Scatters on the emulated GPU: updates to one place are made in order, whatever runs at the same time.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dimConst, dimEquals, dimSymbol, dimValue } from '../../compiler/ir/dims.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { plainSubscript, shapeSpace } from '../../compiler/ir/space.js';
import { assertAgree, type Compiled, compile, define, programOf } from '../codegen/support.js';
import { bitsOf, inEveryOrder } from './orders.js';

const test = suite('scatters on a GPU');
const d = (...sizes: (number | string)[]) =>
  sizes.map((size) => (typeof size === 'number' ? dimConst(size) : dimSymbol(size)));

const scatter = (mode: 'add' | 'set') =>
  define(`scatter_${mode}`, (b) => {
    const base = b.param('base', { dtype: 'f32', shape: d(10, 40) });
    const updates = b.param('updates', { dtype: 'f32', shape: d('n', 40) });
    const rows = b.param('rows', { dtype: 'i64', shape: d('n') });
    const access = [{ kind: 'lookup', operand: 2, subscripts: [plainSubscript(0)] } as const, plainSubscript(1)];
    return [b.scatter(mode, shapeSpace(updates.type.shape), access, [base, updates, rows])];
  });

/** Every element has a place of its own, in its column. */
const cells = define('scatter_cells', (b) => {
  const base = b.param('base', { dtype: 'f32', shape: d(10, 40) });
  const updates = b.param('updates', { dtype: 'f32', shape: d('n', 40) });
  const rows = b.param('rows', { dtype: 'i64', shape: d('n', 40) });
  const every = [plainSubscript(0), plainSubscript(1)];
  const access = [{ kind: 'lookup', operand: 2, subscripts: every } as const, plainSubscript(1)];
  return [b.scatter('add', shapeSpace(updates.type.shape), access, [base, updates, rows])];
});

/** A count of values: one column. */
const counts = define('counts', (b) => {
  const base = b.param('base', { dtype: 'i64', shape: d(10) });
  const updates = b.param('updates', { dtype: 'i64', shape: d('n') });
  const places = b.param('places', { dtype: 'i64', shape: d('n') });
  const access = [{ kind: 'lookup', operand: 2, subscripts: [plainSubscript(0)] } as const];
  return [b.scatter('add', shapeSpace(updates.type.shape), access, [base, updates, places])];
});

const functions: readonly Func[] = [scatter('add'), scatter('set'), cells, counts];

/** Operands with `n` updates; places are a shuffle of 0 … 9. */
function inputsOf(fn: Func, n: number): readonly HostTensor[] {
  return fn.params.map(({ type }, k) => {
    const shape = type.shape.map((dim) => (dimEquals(dim, dimSymbol('n')) ? n : (dimValue(dim) as number)));
    const count = shape.reduce((product, size) => product * size, 1);
    const element = (i: number): number =>
      k === 2 ? (i * 7 + (i >> 3)) % 10 : type.dtype === 'i64' ? i % 5 : Math.sin(i + k);
    return hostTensor(
      type.dtype,
      shape,
      Array.from({ length: count }, (_, i) => element(i)),
    );
  });
}

const agree = (compiled: Compiled, n: number): void => {
  const interpreter = new Interpreter(programOf(functions).module);
  for (const fn of functions) {
    const inputs = inputsOf(fn, n);
    assertAgree(compiled.run(fn.name, inputs)[0]!, interpreter.run(fn.name, inputs)[0]!, `${fn.name} of ${n}`);
  }
};

test('updates are made in order', async () => {
  const compiled = await compile(programOf(functions), { cuda: 'emulated' });
  for (const n of [0, 1, 6, 33, 200]) agree(compiled, n);
  for (const fn of functions) {
    const [first, ...others] = inEveryOrder(() => bitsOf(compiled.run(fn.name, inputsOf(fn, 100))));
    for (const other of others) assert.is(other, first, fn.name);
  }
});

test('checked mode has nothing to say', async () => {
  agree(await compile(programOf(functions), { cuda: 'checked' }), 40);
});

test('a place outside is a fault, which leaves nothing behind', async () => {
  const compiled = await compile(programOf(functions), { cuda: 'emulated' });
  const [base, updates] = inputsOf(functions[0] as Func, 6) as [HostTensor, HostTensor];
  const outside = [base, updates, hostTensor('i64', [6], [1, 2, 10, 4, -1, 5])];
  assert.throws(
    () => compiled.run('scatter_add', outside),
    /index 10 \(element 2 of the indices\) is out of range for a dimension of size 10/,
  );
  agree(compiled, 6);
});

test.run();
