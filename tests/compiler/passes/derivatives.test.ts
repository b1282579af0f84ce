// Derivatives of every record of the tables: forward mode against finite differences, reverse mode against forward mode; where
// the record is smooth, the same for the derivative of the derivative in all four nestings.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Builder } from '../../../compiler/ir/builder.js';
import { dimConst } from '../../../compiler/ir/dims.js';
import { isFloat } from '../../../compiler/ir/dtype.js';
import { type HostTensor, hostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import type { Access, Func, IndexSpace, Module, TensorType, Value } from '../../../compiler/ir/graph.js';
import { affine, affineSubscript, dimsSpace } from '../../../compiler/ir/space.js';
import { elementwiseOps } from '../../../compiler/ops/elementwise/index.js';
import type { Domain } from '../../../compiler/ops/op.js';
import { orderOps } from '../../../compiler/ops/order.js';
import { reduceOps } from '../../../compiler/ops/reduce.js';
import { buildFunction, displaced, evaluate, innerProduct, withDerivatives } from '../../support/calculus.js';
import { Random, randomTensor } from '../../support/random.js';

const f64 = (...shape: readonly number[]): TensorType => ({ dtype: 'f64', shape: shape.map(dimConst) });

const floatsOnly = (tensors: readonly HostTensor[]) => tensors.filter((tensor) => isFloat(tensor.dtype));
const drawLike = (random: Random, tensors: readonly HostTensor[]) =>
  floatsOnly(tensors).map((t) => randomTensor(random, { dtype: t.dtype, shape: t.shape.map(dimConst) }));

function assertClose(actual: number, expected: number, scale: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance * (1 + scale), `${what}: ${actual}, expected ${expected}`);
}

/** Checks jvp and vjp of the function `name` of a module at a point; results that are not floats have no derivatives. */
function checkFirstOrder(
  module: Module,
  name: string,
  inputs: readonly HostTensor[],
  random: Random,
  what: string,
  tolerance: number,
): void {
  const results = evaluate(module, name, inputs);
  const direction = drawLike(random, inputs);
  const cotangents = drawLike(random, results);
  const tangents = evaluate(module, `jvp.${name}`, [...inputs, ...direction]).slice(results.length);
  const gradients = evaluate(module, `vjp.${name}`, [...inputs, ...cotangents]).slice(results.length);
  const forward = innerProduct(tangents, cotangents);
  assertClose(innerProduct(gradients, direction), forward, Math.abs(forward), 1e-8, `${what}: reverse mode`);
  const h = 1e-5;
  const at = (step: number) =>
    innerProduct(floatsOnly(evaluate(module, name, displaced(inputs, step, direction))), cotangents);
  const difference = (at(h) - at(-h)) / (2 * h);
  assertClose(forward, difference, Math.abs(difference), tolerance, `${what}: forward mode against differences`);
}

function checkDerivatives(
  func: Func,
  inputs: readonly HostTensor[],
  smooth: boolean,
  seed: number,
  what: string,
): void {
  const module = withDerivatives(func, smooth ? 2 : 1);
  const random = new Random(seed);
  checkFirstOrder(module, 'f', inputs, random, what, 1e-6);
  if (!smooth) return;
  for (const mode of ['jvp', 'vjp']) {
    const results = mode === 'jvp' ? inputs : evaluate(module, 'f', inputs);
    const seeds = drawLike(random, results);
    checkFirstOrder(module, `${mode}.f`, [...inputs, ...seeds], random, `${what}, ${mode} of it`, 1e-5);
  }
}

const inDomain = (random: Random, type: TensorType, domain: Domain) =>
  randomTensor(random, type, [domain.low, domain.high]);

for (const record of elementwiseOps) {
  if (!record.accepts.includes('f64') || !isFloat(record.result('f64', 'f64'))) continue;
  test(record.name, () => {
    const types = record.domain.map((_, i): TensorType => {
      const dtype = record.fixed?.[i] ?? 'f64';
      return i === 1 ? { dtype, shape: [dimConst(3)] } : { dtype, shape: [dimConst(2), dimConst(3)] };
    });
    const func = buildFunction(types, (b, inputs) => {
      const dtype = record.name === 'cast' ? ({ dtype: 'f64' } as const) : {};
      return b.add({ kind: 'elementwise', op: record.name, inputs, ...dtype });
    });
    for (let seed = 1; seed <= 3; seed++) {
      const random = new Random(seed);
      const inputs = types.map((type, i) => inDomain(random, type, record.domain[i] as Domain));
      // Beside the kinks that a record without `smooth` has there are none; random points do not hit them.
      if (record.name === 'stop_gradient' || record.partials.every((partial) => partial.kind === 'none')) continue;
      checkDerivatives(func, inputs, record.smooth, seed, record.name);
    }
  });
}

/** Distinct numbers in the domain, so that no two elements tie. */
function distinctTensor(random: Random, shape: readonly number[], { low, high }: Domain): HostTensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const places = random.shuffle(Array.from({ length: count }, (_, i) => i));
  return hostTensor(
    'f64',
    shape,
    places.map((place) => low + ((high - low) * (place + 0.5)) / count),
  );
}

interface Shape {
  readonly what: string;
  readonly shape: readonly number[];
  readonly space: IndexSpace;
  readonly access: Access;
}

function reductionShapes(): readonly Shape[] {
  const whole = (what: string, dims: readonly number[]): Shape => {
    const shape = [2, 3, 2];
    const [space, access] = dimsSpace(shape.map(dimConst), dims);
    return { what, shape, space, access };
  };
  const window = (what: string, size: number, out: number, stride: number, padding: number): Shape => {
    const indices = [
      { name: 'n', extent: dimConst(2) },
      { name: 'l', extent: dimConst(out) },
      { name: 'k', extent: dimConst(3) },
    ];
    const at = affine(
      [
        { index: 1, coefficient: stride },
        { index: 2, coefficient: 1 },
      ],
      -padding,
    );
    const access = [
      affineSubscript(affine([{ index: 0, coefficient: 1 }]), 1, dimConst(2), indices),
      affineSubscript(at, 1, dimConst(size), indices),
    ];
    return { what, shape: [2, size], space: { indices, outer: 2 }, access };
  };
  return [
    whole('the last dimension', [2]),
    whole('the first dimension', [0]),
    whole('two dimensions', [0, 2]),
    whole('all dimensions', [0, 1, 2]),
    window('windows side by side', 6, 2, 3, 0),
    window('overlapping windows with padding', 5, 4, 1, 1),
  ];
}

for (const record of reduceOps) {
  if (record.derivative.kind === 'none' || !record.accepts.includes('f64')) continue;
  for (const { what, shape, space, access } of reductionShapes()) {
    test(`${record.name} over ${what}`, () => {
      const func = buildFunction([f64(...shape)], (b, [x]) => b.reduceOver(record.name, x as Value, space, access));
      for (let seed = 1; seed <= 2; seed++) {
        const random = new Random(seed);
        checkDerivatives(func, [distinctTensor(random, shape, record.domain)], record.smooth, seed, record.name);
      }
    });
  }
}

for (const record of orderOps) {
  if (record.derivative.kind === 'none' || !record.accepts.includes('f64')) continue;
  for (const reverse of [false, true]) {
    for (const dim of [0, 1]) {
      test(`${record.name} along ${dim}${reverse ? ' backwards' : ''}`, () => {
        const func = buildFunction([f64(3, 4)], (b: Builder, [x]) =>
          b.add({ kind: 'order', op: record.name, dim, reverse, inputs: [x as Value] }),
        );
        const random = new Random(11);
        checkDerivatives(func, [distinctTensor(random, [3, 4], record.domain)], record.smooth, 3, record.name);
      });
    }
  }
}

test('prod is right where elements are 0', () => {
  const func = buildFunction([f64(4)], (b, [x]) => b.reduce('prod', x as Value, [0]));
  const module = withDerivatives(func, 1);
  const gradient = (x: readonly number[]) =>
    numbersOf(evaluate(module, 'vjp.f', [hostTensor('f64', [4], x), hostTensor('f64', [], [1])])[1] as HostTensor);
  assert.equal(gradient([2, 0, 3, 5]), [0, 30, 0, 0]);
  assert.equal(gradient([2, 0, 3, 0]), [0, 0, 0, 0]);
});

test('what is not connected has a gradient of zeros', () => {
  const func = buildFunction([f64(2), f64(3)], (b, [x]) => [b.elementwise('exp', [x as Value])]);
  const module = withDerivatives(func, 1);
  const inputs = [hostTensor('f64', [2], [0, 0]), hostTensor('f64', [3], [1, 2, 3])];
  const [, first, second] = evaluate(module, 'vjp.f', [...inputs, hostTensor('f64', [2], [1, 2])]);
  assert.equal(numbersOf(first as HostTensor), [1, 2]);
  assert.equal(numbersOf(second as HostTensor), [0, 0, 0]);
});

test('stop_gradient passes values and no derivative', () => {
  const func = buildFunction([f64(2)], (b, [x]) => [
    b.elementwise('mul', [x as Value, b.elementwise('stop_gradient', [x as Value])]),
  ]);
  const module = withDerivatives(func, 1);
  const x = hostTensor('f64', [2], [3, 4]);
  const [value, gradient] = evaluate(module, 'vjp.f', [x, hostTensor('f64', [2], [1, 1])]);
  assert.equal(numbersOf(value as HostTensor), [9, 16]);
  assert.equal(numbersOf(gradient as HostTensor), [3, 4]);
  const names = [...(module.functions.get('vjp.f')?.nodes ?? [])].map((node) =>
    node.kind === 'elementwise' ? node.op : node.kind,
  );
  assert.not.ok(names.includes('stop_gradient'));
});

test('forward nodes appear once, and adjoints are named after what they are adjoints of', () => {
  const func = buildFunction([f64(2)], (b, [x]) => {
    const h = b.elementwise('tanh', [x as Value], 'h');
    return [b.sum(b.elementwise('mul', [h, h], 'square'), [0], 'loss')];
  });
  const vjp = withDerivatives(func, 1).functions.get('vjp.f') as Func;
  const count = (op: string) => vjp.nodes.filter((node) => node.kind === 'elementwise' && node.op === op).length;
  assert.is(count('tanh'), 1);
  assert.is(vjp.results.at(-1)?.name, 'd_x0');
  const adjoint = vjp.nodes.find((node) => node.results[0]?.name.startsWith('d_h'));
  assert.is(adjoint?.origin.rule, 'd mul');
  assert.is(adjoint?.origin.of, 'square');
});

/** The node of `vjp.f` that computes an adjoint, as text. */
function nodeOf(vjp: Func, adjoint: string): string {
  const node = vjp.nodes.find(({ results }) => results[0]?.name === adjoint);
  return node?.kind === 'elementwise' ? `${node.op} ${node.inputs.map(({ name }) => name).join(' ')}` : '';
}

test('a chain of elementwise nodes keeps one product of partial derivatives where it would keep several values', () => {
  const func = buildFunction([f64(2, 3, 4)], (b, [x]) => {
    const h = b.sum(x as Value, [1], 'h');
    const gate = b.elementwise('sigmoid', [b.elementwise('exp', [h], 'e')], 'gate');
    return [b.elementwise('mul', [h, gate], 'out')];
  });
  const module = withDerivatives(func, 1);
  const vjp = module.functions.get('vjp.f') as Func;
  // The cotangent of the result times a factor that the forward part computes.
  assert.match(nodeOf(vjp, 'd_h'), /^mul s_out \S+$/);
  const random = new Random(5);
  const inputs = func.params.map(({ type }) => randomTensor(random, type));
  checkFirstOrder(module, 'f', inputs, random, 'a chain', 1e-6);
});

test('adjoints of slices that cover a value are joined, those of others padded and added up', () => {
  const parts = (b: Builder, x: Value, ...ranges: readonly (readonly [number, number])[]) =>
    ranges.map(([start, size]) => {
      const view = { type: 'slice', starts: [start, 0], steps: [1, 1], sizes: [size, 2] } as const;
      const part = b.view(x, { ...view, starts: view.starts.map(dimConst), sizes: view.sizes.map(dimConst) });
      return b.elementwise('exp', [part]);
    });
  const covering = buildFunction([f64(5, 2)], (b, [x]) => parts(b, x as Value, [2, 3], [0, 2]));
  const others = buildFunction([f64(5, 2)], (b, [x]) => parts(b, x as Value, [0, 3], [2, 3]));
  for (const [func, joins] of [
    [covering, true],
    [others, false],
  ] as const) {
    const module = withDerivatives(func, 1);
    const nodes = module.functions.get('vjp.f')?.nodes ?? [];
    assert.is(
      nodes.some((node) => node.kind === 'assemble' && node.assemble.type === 'concat'),
      joins,
    );
    const random = new Random(6);
    checkFirstOrder(module, 'f', [randomTensor(random, f64(5, 2))], random, 'slices', 1e-6);
  }
});

test.run();
