// Random graphs through every pass: the verifier accepts what each pass makes, and no value changes.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Interpreter } from '../../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../../compiler/ir/graph.js';
import { VerifyError, verifyModule } from '../../../compiler/ir/verify.js';
import { differentiate } from '../../../compiler/passes/differentiate.js';
import { inline } from '../../../compiler/passes/inline.js';
import { defaultContext, type Pass } from '../../../compiler/passes/pass.js';
import { defaultPipeline, passes, pipelineSteps, replayPasses, runPipeline } from '../../../compiler/pipeline.js';
import type { Program } from '../../../compiler/program.js';
import { type GraphOptions, type RandomGraph, randomGraph, tensorError } from '../../support/graphs.js';
import { leNet, mlp, softmaxRegression } from '../../support/models.js';
import { draws } from '../../support/property.js';

/** A program whose only entry is a function, all parameters arguments. */
export function programOf({ module, fn }: Pick<RandomGraph, 'module' | 'fn'>): Program {
  const func = module.functions.get(fn) as Func;
  const result = func.results.map((value, index) => ({ kind: 'tensor', index, type: value.type }) as const);
  return {
    name: 'random',
    module,
    state: [],
    entries: [
      {
        name: fn,
        fn,
        inputs: func.params.map(({ name }) => ({ kind: 'argument', path: name })),
        outputs: func.results.map((_, i) => ({ kind: 'result', path: String(i) })),
        arguments: func.params.map(({ name, type }, index) => ({ name, structure: { kind: 'tensor', index, type } })),
        result: { kind: 'tuple', items: result },
        symbols: ['B', 'N'],
        constraints: [],
      },
    ],
  };
}

const runnable = (program: Program): Program => differentiate.run(inline.run(program, defaultContext), defaultContext);

const evaluateEntry = (program: Program, { fn, inputs, dims }: RandomGraph): readonly HostTensor[] =>
  new Interpreter(runnable(program).module).run(fn, inputs, { dims });

/** Whether all results have finite elements of moderate size: beyond them no tolerance separates rounding from mistakes. */
const isTame = (results: readonly HostTensor[]): boolean =>
  results.every((tensor) => numbersOf(tensor).every((x) => Number.isFinite(x) && Math.abs(x) < 1e6));

/** The graph with every third value returned as well, so that passes may not throw most of it away. */
function returningMore(graph: RandomGraph): RandomGraph {
  const func = graph.module.functions.get(graph.fn) as Func;
  const more = func.nodes.filter((_, i) => i % 3 === 0).flatMap((node) => node.results);
  const results = [...new Set([...func.results, ...more])];
  const functions = new Map(graph.module.functions).set(func.name, { ...func, results });
  return { ...graph, module: { functions } };
}

function checkPass(graph: RandomGraph, pipeline: readonly Pass[], tolerance: number): void {
  let program = programOf(graph);
  let before: readonly HostTensor[];
  try {
    before = evaluateEntry(program, graph);
  } catch {
    return;
  }
  if (!isTame(before)) return;
  let stage: Pass['reaches'] = 'elaborated';
  for (const { name, pass } of pipelineSteps(pipeline)) {
    program = pass.run(program, defaultContext);
    stage = pass.reaches ?? stage;
    verifyModule(program.module, stage === undefined ? {} : { stage });
    const after = evaluateEntry(program, graph);
    for (const [i, tensor] of before.entries()) {
      const error = tensorError(after[i] as HostTensor, tensor);
      assert.ok(error <= tolerance, `${name} changes result ${i} by ${error}`);
    }
  }
}

const kinds: readonly (readonly [string, GraphOptions, number])[] = [
  ['without calls', { regions: 'none' }, 150],
  ['with calls', { regions: 'calls' }, 100],
  ['with derivatives', { regions: 'derivatives', differentiable: true }, 120],
];

for (const [what, options, runs] of kinds) {
  test(`random graphs ${what}`, () => {
    const property = fc.property(randomGraph({ ...options, size: 400 }), (graph) =>
      checkPass(returningMore(graph), defaultPipeline, 1e-7),
    );
    fc.assert(property, draws(runs));
  });
}

for (const [name, program] of Object.entries({ softmaxRegression, mlp: () => mlp(true, [12, 8, 4]), leNet })) {
  test(`replaying the passes of ${name}`, () => {
    const steps = replayPasses(program(), 5);
    assert.is(steps.length, defaultPipeline.length);
    for (const step of steps) assert.is(step.failure, undefined, `${step.pass}: ${step.failure}`);
  });
}

test('replaying finds the pass that changes a value', () => {
  const negate: Pass = {
    name: 'negate',
    doc: 'A wrong pass.',
    run: (program) => {
      const functions = new Map(program.module.functions);
      for (const [name, func] of functions) {
        const nodes = func.nodes.map((node) =>
          node.kind === 'elementwise' && node.op === 'exp' ? { ...node, op: 'neg' } : node,
        );
        functions.set(name, { ...func, nodes });
      }
      return { ...program, module: { functions } };
    },
  };
  const steps = replayPasses(softmaxRegression(), 1, [inline, negate, differentiate]);
  assert.is(steps.length, 2);
  assert.match(steps[1]?.failure ?? '', 'train_step');
});

test('stages have names of their own, and passes are known by name', () => {
  const names: string[] = [];
  runPipeline(softmaxRegression(), defaultPipeline, { onStage: (name) => names.push(name) });
  assert.is(new Set(names).size, defaultPipeline.length);
  assert.ok(names.includes('canonicalise.2'));
  for (const pass of defaultPipeline) assert.is(passes.get(pass.name), pass);
});

test('a pass that damages the program is named', () => {
  const lose: Pass = {
    name: 'lose',
    doc: 'A wrong pass.',
    run: (program) => {
      const functions = new Map(
        [...program.module.functions].map(([name, func]) => [name, { ...func, nodes: func.nodes.slice(1) }]),
      );
      return { ...program, module: { functions } };
    },
  };
  assert.throws(
    () => runPipeline(softmaxRegression(), [lose]),
    (error: Error) => error instanceof VerifyError && error.message.includes('lose'),
  );
});

test.run();
