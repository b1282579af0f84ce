// Random programs as compiled C, compared with the interpreter: graphs of all operations, products of matrices, convolutions and their gradients, at sizes
// beside those of vectors and tiles.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Machine } from '../../codegen/kernel/machine.js';
import { Interpreter } from '../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, numbersOf } from '../../compiler/ir/evaluate/tensor.js';
import type { Func } from '../../compiler/ir/graph.js';
import { differentiate } from '../../compiler/passes/differentiate.js';
import { inline } from '../../compiler/passes/inline.js';
import { defaultContext } from '../../compiler/passes/pass.js';
import { type RandomGraph, randomGraph } from '../support/graphs.js';
import { draws, seed, share } from '../support/property.js';
import { Random } from '../support/random.js';
import { convolutions, matrixProduct, type Size } from './contractions.js';
import { assertAgree, checkAgainstInterpreter, compile, programOf, runnableMachines } from './support.js';

/** One size each of what fills a vector or a tile of some machine, and of what is one less or more. */
const SIZES = [1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 23, 31, 32, 33, 48, 63, 64, 65, 100, 127, 129] as const;

const isTame = (results: readonly HostTensor[]): boolean =>
  results.every((tensor) => numbersOf(tensor).every((x) => Number.isFinite(x) && Math.abs(x) < 1e4));

/** Compares a graph with the interpreter; whether its values allow that. */
async function checkGraph(graph: RandomGraph, machine: Machine): Promise<boolean> {
  const { module, fn, inputs, dims } = graph;
  const program = { ...programOf([module.functions.get(fn) as Func]), module };
  const whole = differentiate.run(inline.run(program, defaultContext), defaultContext);
  const expected = new Interpreter(whole.module).run(fn, inputs, { dims });
  // Beyond them no tolerance separates rounding from mistakes.
  if (!isTame(expected)) return false;
  const actual = (await compile(program, { machine })).run(fn, inputs, new Map(dims));
  for (const [i, tensor] of expected.entries())
    assertAgree(actual[i] as HostTensor, tensor, `result ${i} of\n${fc.stringify(graph)}`, 1e6);
  return true;
}

for (const machine of runnableMachines()) {
  test(`graphs on ${machine.name}`, async () => {
    let [drawn, compared] = [0, 0];
    for (const regions of ['none', 'calls', 'derivatives'] as const)
      for (const graph of fc.sample(randomGraph({ regions }), draws(3))) {
        drawn++;
        if (await checkGraph(graph, machine)) compared++;
      }
    assert.ok(compared > drawn / 2, `${compared} of ${drawn} graphs are compared`);
  });

  test(`products and convolutions on ${machine.name}`, async () => {
    const random = new Random(seed);
    const size = (): Size => (random.int(0, 2) === 0 ? random.pick(['n', 'm']) : random.pick(SIZES));
    const pixels = (): number => random.pick([3, 5, 7, 8, 10, 14, 16, 17, 20, 28, 33]);
    for (let round = 0; round < share; round++) {
      const products = Array.from({ length: 8 }, (_, i) =>
        matrixProduct(`product_${i}`, size(), size(), size(), {
          dtype: random.pick(['f32', 'f32', 'f64']),
          transposeA: random.int(0, 1) === 0,
          transposeB: random.int(0, 1) === 0,
        }),
      );
      const layers = Array.from({ length: 2 }, (_, i) => {
        const [kernel, dilation] = [random.int(1, 5), random.int(1, 2)];
        const reach = kernel * dilation;
        return convolutions(`layer_${i}`, {
          batch: random.pick(['n', 1, 2, 3, 8]),
          channels: random.pick([1, 3, 4, 6, 16, 17, 32]),
          outputs: random.pick([1, 5, 6, 8, 16, 20, 32, 33]),
          height: pixels() + reach,
          width: pixels() + reach,
          stride: random.int(1, 3),
          padding: random.int(0, kernel - 1),
          kernel,
          dilation,
        });
      });
      const settings = [1, 2].map(() => ({ n: random.pick(SIZES.slice(0, 12)), m: random.pick(SIZES) }));
      await checkAgainstInterpreter([...products, ...layers.flat()], settings, { machine, slack: 20 });
    }
  });
}

test.run();
