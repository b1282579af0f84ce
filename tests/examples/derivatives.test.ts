// The loss of every example: forward mode, reverse mode and finite differences agree, in f64, along random directions.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadProgram } from '../../cli/frontend.js';
import { isFloat } from '../../compiler/ir/dtype.js';
import { type HostTensor, hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Func, Value } from '../../compiler/ir/graph.js';
import { parseProgram } from '../../compiler/ir/parse.js';
import { printProgram } from '../../compiler/ir/print.js';
import { inline } from '../../compiler/passes/inline.js';
import { runPipeline } from '../../compiler/pipeline.js';
import { derivativeOf, displaced, evaluate, innerProduct, withDerivatives } from '../support/calculus.js';
import { Random, randomTensor } from '../support/random.js';
import { examples } from './examples.js';

const dims = new Map([
  ['B', 3],
  ['T', 4],
  ['n', 5],
  ['k', 2],
  ['d', 3],
]);

interface Loss {
  readonly func: Func;
  /** The functions before it, which its loops may carry. */
  readonly carried: readonly Func[];
  /** The results that are differentiated; others (buffers) are not. */
  readonly of: readonly number[];
}

/** The functions that an example differentiates, with their calls opened, in f64. */
function losses(file: string): readonly Loss[] {
  // The text form makes a program of another precision by writing another dtype.
  const program = parseProgram(printProgram(loadProgram(file)).replaceAll('f32', 'f64'));
  const { module } = runPipeline(program, [inline]);
  const found = new Map<string, Loss>();
  const functions = [...module.functions.values()];
  for (const { nodes } of functions) {
    for (const node of nodes) {
      if (node.kind !== 'region' || node.region.type !== 'vjp') continue;
      const { fn, of } = node.region;
      const at = functions.findIndex(({ name }) => name === fn);
      found.set(fn, { func: functions[at] as Func, carried: functions.slice(0, at), of });
    }
  }
  return [...found.values()];
}

/** The same tensor, all zero. */
const zeroed = ({ dtype, shape, data }: HostTensor): HostTensor =>
  hostTensor(dtype, shape, new Array<number>(data.length).fill(0));

/** Examples that take derivatives in forward mode alone; their own tests compare them. */
const forwardOnly: ReadonlySet<string> = new Set(['calculus/hand']);

const test = suite('derivatives of the examples');

for (const { name, file } of examples.filter((example) => !forwardOnly.has(example.name))) {
  test(name, () => {
    const found = losses(file);
    assert.ok(found.length > 0, 'the example differentiates something');
    for (const { func, carried, of } of found) {
      const module = withDerivatives(func, 1, carried);
      const random = new Random(7);
      const like = ({ type }: Value): HostTensor => randomTensor(random, type, [-0.5, 0.5], dims);
      const isFloatValue = ({ type }: Value): boolean => isFloat(type.dtype);
      // Running variances are among the inputs, so all of them are positive.
      const inputs = func.params.map(({ type }) => randomTensor(random, type, [0.05, 0.5], dims));
      const direction = func.params.filter(isFloatValue).map(like);
      const seeds = func.results.flatMap((value, i) => {
        if (!isFloatValue(value)) return [];
        return [of.includes(i) ? like(value) : zeroed(like(value))];
      });
      const results = evaluate(module, func.name, inputs);
      const floatResults = (values: readonly HostTensor[]): readonly HostTensor[] =>
        values.filter(({ dtype }) => isFloat(dtype));
      const at = (h: number): number =>
        innerProduct(seeds, floatResults(evaluate(module, func.name, displaced(inputs, h, direction))));

      const forward = innerProduct(
        seeds,
        evaluate(module, derivativeOf(func, 'jvp').name, [...inputs, ...direction]).slice(results.length),
      );
      const reverse = innerProduct(
        evaluate(module, derivativeOf(func, 'vjp').name, [...inputs, ...seeds]).slice(results.length),
        direction,
      );
      const h = 1e-6;
      const differences = (at(h) - at(-h)) / (2 * h);
      assert.ok(
        Math.abs(forward - reverse) <= 1e-10 * (1 + Math.abs(forward)),
        `${func.name}: forward ${forward}, reverse ${reverse}`,
      );
      assert.ok(
        Math.abs(forward - differences) <= 1e-5 * (1 + Math.abs(forward)),
        `${func.name}: derivative ${forward}, differences ${differences}`,
      );
    }
  });
}

test.run();
