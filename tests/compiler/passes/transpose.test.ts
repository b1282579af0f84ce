// Transposition: <A x, y> = <x, Aᵀ y> for every linear kind, and transposing twice gives the map back.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Builder } from '../../../compiler/ir/builder.js';
import { dimConst } from '../../../compiler/ir/dims.js';
import type { Access, Affine, ContractNode, Func, IndexSpace, Value } from '../../../compiler/ir/graph.js';
import { affine, affineSubscript, dimsSpace, plainAccess, plainSubscript } from '../../../compiler/ir/space.js';
import { expandDerivatives } from '../../../compiler/passes/differentiate.js';
import { buildFunction, derivativeOf, evaluate, innerProduct, moduleOf } from '../../support/calculus.js';
import { Random, randomTensor } from '../../support/random.js';

const c = (...sizes: readonly number[]) => sizes.map(dimConst);
const f64 = (...sizes: readonly number[]) => ({ dtype: 'f64' as const, shape: c(...sizes) });

/** Checks the adjoint identity of a function that is linear in its first `linear` parameters, for its vjp, and for the vjp of that. */
function checkAdjoint(func: Func, linear: number, random: Random, what: string): void {
  const vjp = derivativeOf(func, 'vjp');
  const second = derivativeOf({ ...vjp, name: 'g' }, 'vjp', 'second');
  const module = expandDerivatives(moduleOf(func, vjp, { ...vjp, name: 'g' }, second));
  const inputs = func.params.map((param) => randomTensor(random, param.type));
  const y = func.results.map((result) => randomTensor(random, result.type));
  const ax = evaluate(module, 'f', inputs);
  const gradients = evaluate(module, 'vjp.f', [...inputs, ...y]).slice(ax.length, ax.length + linear);
  const left = innerProduct(ax, y);
  const right = innerProduct(inputs.slice(0, linear), gradients);
  const close = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * (1 + Math.abs(a) + Math.abs(b));
  assert.ok(close(left, right), `${what}: <Ax, y> = ${left}, <x, A'y> = ${right}`);
  // The vjp is linear in y; its own vjp with respect to y at x must be A x again.
  const seeds = vjp.results.map((result) => randomTensor(random, result.type, [0, 0]));
  const direction = inputs.slice(0, linear);
  const secondSeeds = [
    ...seeds.slice(0, func.results.length),
    ...direction,
    ...seeds.slice(func.results.length + linear),
  ];
  const back = evaluate(module, 'second', [...inputs, ...y, ...secondSeeds]);
  const again = back.slice(back.length - y.length);
  const difference = innerProduct(again, y) - innerProduct(ax, y);
  assert.ok(Math.abs(difference) <= 1e-9 * (1 + Math.abs(left)), `${what}: transposing twice differs by ${difference}`);
}

/** A random affine expression over some of the indices. */
function randomAffine(random: Random, count: number, terms: number): Affine {
  const indices = random.shuffle(Array.from({ length: count }, (_, i) => i)).slice(0, terms);
  return affine(
    indices.map((index) => ({ index, coefficient: random.pick([1, 1, 1, 2, 3, -1]) })),
    random.int(-2, 2),
  );
}

interface RandomContraction {
  readonly space: IndexSpace;
  readonly accesses: readonly Access[];
  readonly guards: readonly Affine[];
  readonly shapes: readonly (readonly number[])[];
}

function randomContraction(random: Random): RandomContraction {
  const count = random.int(1, 4);
  const indices = Array.from({ length: count }, (_, i) => ({ name: `i${i}`, extent: dimConst(random.int(1, 4)) }));
  const space = { indices, outer: random.int(0, count) };
  const shapes = Array.from({ length: random.int(1, 2) }, () =>
    Array.from({ length: random.int(0, 3) }, () => random.int(1, 6)),
  );
  const accesses = shapes.map((shape) =>
    shape.map((size) => {
      const plain = random.int(0, count - 1);
      const fits = (indices[plain]?.extent.key ?? '') <= String(size);
      if (fits && random.next() < 0.5)
        return affineSubscript(plainSubscript(plain).expression, 1, dimConst(size), indices);
      return affineSubscript(
        randomAffine(random, count, random.int(0, 3)),
        random.pick([1, 1, 2, 3]),
        dimConst(size),
        indices,
      );
    }),
  );
  const guards = random.next() < 0.25 ? [randomAffine(random, count, random.int(1, 2))] : [];
  return { space, accesses, guards, shapes };
}

test('random contractions', () => {
  for (let seed = 0; seed < 600; seed++) {
    const random = new Random(seed);
    const { space, accesses, guards, shapes } = randomContraction(random);
    const build = (b: Builder, params: readonly Value[]) => [b.contract(space, accesses, params, guards)];
    const types = shapes.map((shape) => f64(...shape));
    for (let k = 0; k < shapes.length; k++) {
      // The operand tested is the only parameter that counts: bring it to the front.
      const order = [k, ...shapes.keys()].filter((i, at) => at === 0 || i !== k);
      const func = buildFunction(
        order.map((i) => types[i] as (typeof types)[number]),
        (b, params) =>
          build(
            b,
            shapes.map((_, i) => params[order.indexOf(i)] as Value),
          ),
      );
      checkAdjoint(func, 1, random, `seed ${seed}, operand ${k}`);
    }
  }
});

test('random windowed and masked sums', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = new Random(seed + 5000);
    const { space, accesses, shapes } = randomContraction(random);
    const func = buildFunction([f64(...(shapes[0] ?? []))], (b, [x]) =>
      b.reduceOver('sum', x as Value, space, accesses[0] as Access),
    );
    checkAdjoint(func, 1, random, `seed ${seed}`);
  }
});

const linearMaps: Readonly<
  Record<string, { types: readonly ReturnType<typeof f64>[]; body: (b: Builder, p: readonly Value[]) => Value }>
> = {
  'sum of trailing dimension': { types: [f64(3, 4)], body: (b, [x]) => b.sum(x as Value, [1]) },
  'sum of leading dimension': { types: [f64(3, 4)], body: (b, [x]) => b.sum(x as Value, [0]) },
  reshape: { types: [f64(3, 4)], body: (b, [x]) => b.reshape(x as Value, c(2, 6)) },
  permute: { types: [f64(2, 3, 4)], body: (b, [x]) => b.permute(x as Value, [2, 0, 1]) },
  broadcast: {
    types: [f64(1, 3)],
    body: (b, [x]) => b.view(x as Value, { type: 'broadcast', shape: c(2, 4, 5, 3), dims: [1, 3] }),
  },
  slice: {
    types: [f64(9, 5)],
    body: (b, [x]) => b.view(x as Value, { type: 'slice', starts: c(1, 0), steps: [3, 1], sizes: c(3, 4) }),
  },
  'empty slice': {
    types: [f64(4)],
    body: (b, [x]) => b.view(x as Value, { type: 'slice', starts: c(2), steps: [2], sizes: c(0) }),
  },
  flip: { types: [f64(3, 4)], body: (b, [x]) => b.view(x as Value, { type: 'flip', dims: [1] }) },
  pad: { types: [f64(3, 2), f64()], body: (b, [x, v]) => b.pad(x as Value, v as Value, c(1, 0), c(0, 2), [1, 0]) },
  concat: { types: [f64(2, 3), f64(2, 1)], body: (b, p) => b.concat(p, 1) },
  'add with broadcasting': { types: [f64(2, 3), f64(3)], body: (b, p) => b.elementwise('add', p) },
  'sub with broadcasting': { types: [f64(2, 1), f64(2, 3)], body: (b, p) => b.elementwise('sub', p) },
  neg: { types: [f64(5)], body: (b, p) => b.elementwise('neg', p) },
  where: {
    types: [f64(4), f64(4)],
    body: (b, p) => b.elementwise('where', [b.literal([1, 0, 0, 1], 'bool', c(4)), ...p]),
  },
  cast: { types: [f64(4)], body: (b, [x]) => b.cast(b.cast(x as Value, 'f64'), 'f64') },
  cumsum: {
    types: [f64(2, 5)],
    body: (b, [x]) => b.add({ kind: 'order', op: 'cumsum', dim: 1, reverse: false, inputs: [x as Value] })[0] as Value,
  },
  gather: {
    types: [f64(4, 3)],
    body: (b, [x]) => {
      const [space] = dimsSpace(c(2, 5), []);
      const rows = b.literal([0, 3, 3, 1, 0, 2, 2, 3, 0, 0], 'i64', c(2, 5));
      return b.gather(
        space,
        [{ kind: 'lookup', operand: 1, subscripts: plainAccess([0, 1]) }, plainSubscript(0)],
        [x as Value, rows],
      );
    },
  },
  'scatter add': {
    types: [f64(4), f64(2, 3)],
    body: (b, p) => {
      const [space] = dimsSpace(c(2, 3), []);
      const at = b.literal([0, 3, 3, 1, 0, 3], 'i64', c(2, 3));
      return b.scatter('add', space, [{ kind: 'lookup', operand: 2, subscripts: plainAccess([0, 1]) }], [...p, at]);
    },
  },
  'scatter set with collisions': {
    types: [f64(4), f64(2, 3)],
    body: (b, p) => {
      const [space] = dimsSpace(c(2, 3), []);
      const at = b.literal([0, 3, 3, 1, 0, 3], 'i64', c(2, 3));
      return b.scatter('set', space, [{ kind: 'lookup', operand: 2, subscripts: plainAccess([0, 1]) }], [...p, at]);
    },
  },
  'scatter set of a slice': {
    types: [f64(7), f64(3)],
    body: (b, p) => {
      const [space] = dimsSpace(c(3), []);
      const at = affineSubscript(affine([{ index: 0, coefficient: 2 }], 1), 1, dimConst(7), space.indices);
      return b.scatter('set', space, [at], p);
    },
  },
};

for (const [name, { types, body }] of Object.entries(linearMaps)) {
  test(name, () => {
    const func = buildFunction(types, (b, p) => [body(b, p)]);
    checkAdjoint(func, types.length, new Random(7), name);
  });
}

/** The contraction that the cotangent of one operand becomes. */
function gradientNode(func: Func, k: number): ContractNode {
  const module = expandDerivatives(moduleOf(func, derivativeOf(func, 'vjp')));
  const vjp = module.functions.get('vjp.f') as Func;
  const gradient = vjp.results[func.results.length + k];
  return vjp.nodes.find((node) => node.results[0] === gradient) as ContractNode;
}

test('the gradients of a strided convolution are contractions over the window and over positions', () => {
  const indices = [
    { name: 'n', extent: dimConst(2) },
    { name: 'o', extent: dimConst(3) },
    { name: 'l', extent: dimConst(5) },
    { name: 'c', extent: dimConst(4) },
    { name: 'k', extent: dimConst(3) },
  ];
  const window = affineSubscript(
    affine(
      [
        { index: 2, coefficient: 2 },
        { index: 4, coefficient: 1 },
      ],
      -1,
    ),
    1,
    dimConst(10),
    indices,
  );
  const func = buildFunction([f64(2, 4, 10), f64(3, 4, 3)], (b, p) => [
    b.contract({ indices, outer: 3 }, [[plainSubscript(0), plainSubscript(3), window], plainAccess([1, 3, 4])], p),
  ]);
  const input = gradientNode(func, 0);
  assert.equal(input.guards, []);
  assert.equal(
    input.space.indices
      .slice(3)
      .map((i) => i.extent.key)
      .sort(),
    ['3', '3'],
  );
  const weight = gradientNode(func, 1);
  assert.equal(weight.guards, []);
  assert.equal(
    weight.space.indices
      .slice(3)
      .map((i) => i.extent.key)
      .sort(),
    ['2', '5'],
  );
});

test.run();
