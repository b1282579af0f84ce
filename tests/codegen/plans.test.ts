// Structure of what is generated: loops that become one, values that are kept, state in place, slots that are used again, machines.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Generated, generate } from '../../codegen/generate.js';
import { type Kernel, type Stmt, walk } from '../../codegen/kernel/ir.js';
import { lowerKernel } from '../../codegen/kernel/lower/kernel.js';
import { type Machine, machineOf, machines } from '../../codegen/kernel/machine.js';
import { mayOverwrite } from '../../codegen/kernel/overwrite.js';
import { printKernel } from '../../codegen/kernel/print.js';
import { scheduleKernel } from '../../codegen/kernel/schedule/index.js';
import { KernelError, verifyKernel } from '../../codegen/kernel/verify.js';
import type { PlannedStep } from '../../codegen/plan/entry.js';
import { alignedSize, liveBytes, offsetsOf, planWorkspace, workspaceBound } from '../../codegen/plan/memory.js';
import { type Dim, dimConst, dimEvaluate, dimSymbol, parseDim } from '../../compiler/ir/dims.js';
import type { Func } from '../../compiler/ir/graph.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import type { Program } from '../../compiler/program.js';
import { mlp, tensor } from '../support/models.js';
import { programOf as textProgram } from '../support/program.js';
import { define, programOf } from './support.js';

const avx512 = machines[0] as Machine;
const emit = (program: Program): Generated =>
  generate(runPipeline(program, pipelines.default), {
    target: 'c',
    version: 'test',
    sourceHash: 'test',
    machines: [avx512],
  });
const scheduled = (fn: Func): Kernel => {
  const kernel = scheduleKernel(lowerKernel(fn).kernel, avx512);
  verifyKernel(kernel, fn.name);
  return kernel;
};
const loopsOf = (body: readonly Stmt[]): Stmt[] =>
  body.flatMap((stmt) => ('body' in stmt ? [...(stmt.kind === 'for' ? [stmt] : []), ...loopsOf(stmt.body)] : []));

test('an elementwise kernel over contiguous operands is one flat loop', () => {
  const kernel = scheduled(
    define('flat', (b) => {
      const x = b.param('x', tensor('f32', dimSymbol('n'), 5, 7));
      const s = b.param('s', tensor('f32'));
      return [b.elementwise('relu', [b.elementwise('mul', [x, s])])];
    }),
  );
  assert.is(loopsOf(kernel.body).length, 1);
  assert.match(printKernel(kernel), /for \$i0 < 35\*n vector/);
});

test('a softmax computes each exponential once', () => {
  const kernel = scheduled(
    define('softmax', (b) => {
      const x = b.param('x', tensor('f32', dimSymbol('n'), 100));
      const column = [dimSymbol('n'), dimConst(1)];
      const e = b.elementwise('exp', [b.elementwise('sub', [x, b.reshape(b.reduce('max', x, [1])[0]!, column)])]);
      return [b.elementwise('div', [e, b.reshape(b.sum(e, [1]), column)])];
    }),
  );
  assert.is(printKernel(kernel).match(/exp_f32\(/g)?.length, 1);
});

test('a product may not be written over an operand, an update may', () => {
  const update = lowerKernel(
    define('update', (b) => {
      const [p, g] = [b.param('p', tensor('f32', 4, 8)), b.param('g', tensor('f32', 4, 8))];
      return [b.elementwise('sub', [p, g])];
    }),
  ).kernel;
  assert.ok(mayOverwrite(update, 'in0', 'out0'));
  const turned = lowerKernel(
    define('turned', (b) => {
      const p = b.param('p', tensor('f32', 4, 4));
      return [b.elementwise('add', [p, b.view(p, { type: 'permute', permutation: [1, 0] })])];
    }),
  ).kernel;
  assert.not(mayOverwrite(turned, 'in0', 'out0'));
});

test('a training step updates its parameters in place', () => {
  const { plan, layout } = emit(mlp(true));
  const entry = plan.entries.get('train_step')!;
  assert.is(entry.copies.length, 0);
  assert.ok(layout.leaves.every(({ offset }) => offset % 64 === 0));
  assert.ok(plan.workspace.get('train_step')?.key.includes('B'));
});

const lifetime = (bytes: string, first: number, last: number) => ({ bytes: parseDim(bytes), first, last });

test('values that do not live at the same time share memory', () => {
  const plan = planWorkspace([
    lifetime('4000', 0, 1),
    lifetime('100', 1, 2),
    lifetime('3000', 2, 3),
    lifetime('64*B', 3, 4),
    lifetime('128*B', 5, 6),
  ]);
  assert.is(offsetsOf(plan, new Map([['B', 64]])).end, 8192);
  assert.is(offsetsOf(plan, new Map([['B', 1]])).end, 4160);
  assert.is(offsetsOf(plan, new Map([['B', 1000]])).end, 128000);
  assert.is(liveBytes(plan, new Map([['B', 1]])), 4100);
  assert.is(workspaceBound(plan).key, '128*B + 4160');
  assert.is(alignedSize(parseDim('128*B')).key, '128*B');
});

test('memory that is needed only up to some size is a minimum', () => {
  const plan = planWorkspace([lifetime('min(64*B, 4096)', 0, 1), lifetime('64*B', 1, 1)]);
  assert.is(offsetsOf(plan, new Map([['B', 10]])).end, 1280);
  assert.is(offsetsOf(plan, new Map([['B', 100]])).end, 4096 + 6400);
  assert.is(parseDim('min(B + 1, B)').key, 'B');
  assert.is(parseDim('min(B, 7)').key, 'min(7, B)');
});

test('two values that live at the same time never share memory, whatever the sizes', () => {
  const draw = (n: number, seed: number): number =>
    Math.floor(n * Math.abs((Math.sin(seed * 12.9898) * 43758.5453) % 1));
  for (let seed = 1; seed < 40; seed++) {
    const lifetimes = Array.from({ length: 30 }, (_, i) => {
      const first = draw(40, seed * 100 + i);
      const bytes = `${draw(5, seed + 7 * i)}*B + ${draw(3, seed + 11 * i)}*T*B + ${draw(900, seed + 13 * i)}`;
      return lifetime(bytes, first, first + draw(10, seed + 17 * i));
    });
    const plan = planWorkspace(lifetimes);
    for (const dims of [
      { B: 1, T: 1 },
      { B: 13, T: 7 },
      { B: 640, T: 3 },
    ].map((sizes) => new Map(Object.entries(sizes))))
      assert.ok(
        offsetsOf(plan, dims).end <= dimEvaluate(workspaceBound(plan), dims),
        `more than the bound, seed ${seed}`,
      );
    for (const [B, T] of [
      [0, 0],
      [1, 100],
      [64, 64],
      [1000, 1],
      [3, 7],
    ] as const) {
      const dims = new Map([
        ['B', B],
        ['T', T],
      ]);
      const of = (bytes: Dim): number => dimEvaluate(bytes, dims);
      const { offsets, end } = offsetsOf(plan, dims);
      const places = lifetimes.map(({ bytes, first, last }, i) => {
        const begin = offsets[plan.slotOf[i] as number] as number;
        assert.ok(begin % 64 === 0 && begin + of(bytes) <= end);
        return { begin, end: begin + of(bytes), first, last };
      });
      for (const a of places)
        for (const b of places)
          if (a !== b && a.first <= b.last && b.first <= a.last) assert.ok(a.end <= b.begin || b.end <= a.begin);
      assert.ok(liveBytes(plan, dims) <= end);
    }
  }
});

test('equal kernels are one function, whatever their names', () => {
  const twice = (name: string) =>
    define(name, (b) => [b.elementwise('tanh', [b.param(`x_${name}`, tensor('f32', dimSymbol('n')))])]);
  assert.is(emit(programOf([twice('a'), twice('b')])).kernels.length, 1);
});

test('a malformed kernel is refused', () => {
  const { kernel } = lowerKernel(define('f', (b) => [b.elementwise('neg', [b.param('x', tensor('f32', 3))])]));
  const [loop] = kernel.body;
  assert.ok(loop?.kind === 'for');
  const broken = { ...kernel, body: loop.kind === 'for' ? loop.body : [] };
  assert.throws(
    () => verifyKernel(broken, 'f'),
    (error: Error) => error instanceof KernelError && /\$i0/.test(error.message),
  );
});

test('the class of a machine follows from the macros of the C compiler', () => {
  const macros = (...names: string[]) => names.map((name) => `#define ${name} 1`).join('\n');
  assert.is(
    machineOf(macros('__AVX512F__', '__AVX512DQ__', '__AVX512BW__', '__AVX512VL__', '__AVX2__', '__FMA__', '__F16C__'))
      .name,
    'avx512',
  );
  assert.is(machineOf(macros('__AVX512F__', '__AVX2__', '__FMA__', '__F16C__')).name, 'avx2');
  assert.is(machineOf(macros('__aarch64__')).name, 'neon');
  assert.is(machineOf(macros('__SSE2__')).name, 'baseline');
});

test('folds over the same elements that do not need each other run in one loop', () => {
  const kernel = scheduled(
    define('columns', (b) => {
      const x = b.param('x', tensor('f32', dimSymbol('n'), 64));
      const y = b.param('y', tensor('f32', dimSymbol('n'), 64));
      const total = b.sum(x, [0]);
      const rest = b.sum(b.elementwise('sub', [y, total]), [0]);
      return [total, b.sum(b.elementwise('mul', [x, y]), [0]), rest];
    }),
  );
  const folds = [...walk(kernel.body)].filter((stmt) => stmt.kind === 'accumulate');
  assert.equal(
    folds.map(({ results }) => results.length),
    [2, 1],
  );
});

/** The plan of a step of a model with an embedding. */
function embeddingStep(loss: string) {
  const program = textProgram(`import std.nn { Embedding, Linear }
import std.optim { SGD }
dim n
model Words(count: int) {
  table: Embedding(count, 8)
  head: Linear(8, 3)
  fn forward(x: i64[m, 4]) -> f32[m, 4, 3] = tanh(head(table(x)))
}
fn loss(net: Words(10), x: i64[n, 4]) -> f32 = ${loss}
export fn step(net: mut Words(10), opt: mut SGD(net, lr: 0.1), x: i64[n, 4]) -> f32 {
  let (l, g) = value_and_grad(loss, wrt: net)(net, x)
  opt.step(net, g)
  l
}`);
  const plan = emit(program).plan.entries.get('step');
  assert.ok(plan);
  const scatters = (step: PlannedStep): boolean =>
    step.kind === 'launch' &&
    step.step.fn.nodes.some((node) => node.kind === 'index' && node.indexing.type === 'scatter');
  return { ...plan, scatterAt: plan.steps.findIndex(scatters) };
}

test('lookups that were checked before let state be written before they are made again', () => {
  const checked = embeddingStep('sum(net(x))');
  assert.ok(checked.hasFaults && checked.checkAt > 0 && checked.checkAt < checked.scatterAt);
  assert.is(checked.copies.filter(({ to }) => to.kind === 'state').length, 0);
  // Where some elements alone were looked up, nothing is known of all of them.
  const unchecked = embeddingStep('sum(net(x[1:]))');
  assert.ok(unchecked.checkAt > unchecked.scatterAt);
});

test.run();
