// What kernels the pass `fuse` makes: numbers and forms for small models, and for the shapes of code that matter.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Builder } from '../../../compiler/ir/builder.js';
import { type Dim, dimConst } from '../../../compiler/ir/dims.js';
import { evaluateFunction } from '../../../compiler/ir/evaluate/evaluate.js';
import { type HostTensor, hostTensor, numbersOf } from '../../../compiler/ir/evaluate/tensor.js';
import { type Func, nodeName, type RegionNode, type Value } from '../../../compiler/ir/graph.js';
import { affine, affineSubscript, plainAccess, plainSubscript } from '../../../compiler/ir/space.js';
import { type KernelForm, kernelForm } from '../../../compiler/passes/fuse.js';
import { defaultPipeline, replayPasses, runPipeline } from '../../../compiler/pipeline.js';
import type { Program } from '../../../compiler/program.js';
import { batch, crossEntropy, leNet, linear, mlp, softmaxRegression, tensor } from '../../support/models.js';
import { programOf } from '../../support/program.js';

interface Kernel {
  readonly form: KernelForm;
  readonly func: Func;
  readonly call: RegionNode;
}

/** The kernels of the only entry, in order. */
function kernelsOf(program: Program): readonly Kernel[] {
  const fused = runPipeline(program, defaultPipeline);
  const entry = fused.module.functions.get(fused.entries[0]?.fn ?? '') as Func;
  return entry.nodes.flatMap((call): Kernel[] => {
    if (call.kind !== 'region') return [];
    const func = fused.module.functions.get(call.region.fn) as Func;
    return [{ form: kernelForm(func), func, call }];
  });
}

const formsOf = (program: Program): readonly KernelForm[] => kernelsOf(program).map((kernel) => kernel.form);
const counts = (forms: readonly KernelForm[]): Record<string, number> => {
  const count: Record<string, number> = {};
  for (const form of forms) count[form] = (count[form] ?? 0) + 1;
  return count;
};

type Types = Readonly<Record<string, ReturnType<typeof tensor>>>;

/** A program whose entry is the given function of arguments; checked against the interpreter after every pass. */
function functionProgram(
  types: Types,
  body: (b: Builder, p: Record<string, Value>) => readonly Value[],
  callees: readonly Func[] = [],
): Program {
  const b = new Builder('f');
  const params = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, b.param(name, type)]));
  const func = b.finish(body(b, params));
  const args = func.params.map(
    ({ name, type }, index) => ({ name, structure: { kind: 'tensor', index, type } }) as const,
  );
  const items = func.results.map(({ type }, index) => ({ kind: 'tensor', index, type }) as const);
  const program: Program = {
    name: 'p',
    module: { functions: new Map([...callees, func].map((f) => [f.name, f])) },
    state: [],
    entries: [
      {
        name: 'f',
        fn: 'f',
        inputs: func.params.map(({ name }) => ({ kind: 'argument', path: name })),
        outputs: func.results.map((_, i) => ({ kind: 'result', path: String(i) })),
        arguments: args,
        result: { kind: 'tuple', items },
        symbols: ['B'],
        constraints: [],
      },
    ],
  };
  for (const step of replayPasses(program, 1)) assert.is(step.failure, undefined, step.failure);
  return program;
}

const at = (p: Record<string, Value>, name: string) => p[name] as Value;
const column = (b: Builder, x: Value) => b.reshape(x, [...x.type.shape, dimConst(1)]);
const reduceLast = (b: Builder, op: string, x: Value) => b.reduce(op, x, [x.type.shape.length - 1])[0] as Value;

function softmax(b: Builder, x: Value): Value {
  const shifted = b.elementwise('sub', [x, column(b, reduceLast(b, 'max', x))]);
  const e = b.elementwise('exp', [shifted]);
  return b.elementwise('div', [e, column(b, b.sum(e, [x.type.shape.length - 1]))]);
}

test('a step of softmax regression', () => {
  assert.equal(formsOf(softmaxRegression()), ['contraction', 'rows', 'rows', 'rows', 'contraction']);
});

test('a step of a two-layer perceptron', () => {
  for (const momentum of [false, true]) {
    assert.equal(counts(formsOf(mlp(momentum))), { contraction: 5, rows: 4 });
  }
});

test('a step of LeNet', () => {
  assert.equal(counts(formsOf(leNet())), { contraction: 13, rows: 6, reduction: 2 });
});

test('state is read before the kernel that replaces it', () => {
  const calls = kernelsOf(mlp()).map((kernel) => kernel.call);
  const writer = calls.findIndex((call) => call.results.some((value) => value.name === 'w2.1'));
  const readers = calls.flatMap((call, i) => (call.inputs.some((value) => value.name === 'w2') ? [i] : []));
  assert.is(Math.max(...readers), writer);
  assert.is(readers.length, 3);
});

test('softmax, layer normalisation and cross-entropy are one kernel each', () => {
  const x = tensor('f32', batch, 50);
  assert.equal(formsOf(functionProgram({ x }, (b, p) => [softmax(b, at(p, 'x'))])), ['rows']);
  const normalised = functionProgram({ x, scale: tensor('f32', 50) }, (b, p) => {
    const mean = (v: Value) => column(b, b.elementwise('div', [b.sum(v, [1]), b.constant(50, 'f32')]));
    const centred = b.elementwise('sub', [at(p, 'x'), mean(at(p, 'x'))]);
    const variance = mean(b.elementwise('mul', [centred, centred]));
    const scaled = b.elementwise('mul', [centred, b.elementwise('rsqrt', [variance])]);
    return [b.elementwise('mul', [scaled, at(p, 'scale')])];
  });
  assert.equal(formsOf(normalised), ['rows']);
  const loss = functionProgram({ x: tensor('f32', batch, 10), y: tensor('i64', batch) }, (b, p) => [
    crossEntropy(b, at(p, 'x'), at(p, 'y')),
  ]);
  assert.equal(formsOf(loss), ['rows', 'rows']);
});

/** The gradient of `body`'s sum weighted by `w`, beside its value: what training makes of a layer. */
function withGradient(
  types: Types,
  weight: ReturnType<typeof tensor>,
  body: (b: Builder, p: Record<string, Value>) => Value,
): Program {
  const inner = new Builder('inner');
  const params = Object.entries(types).map(([name, type]) => [name, inner.param(name, type)] as const);
  const func = inner.finish([body(inner, Object.fromEntries(params))]);
  const outer = (b: Builder, p: Record<string, Value>) => {
    const names = Object.keys(types);
    const inputs = [...names.map((name) => at(p, name)), at(p, 'w')];
    const region = { type: 'vjp', fn: 'inner', wrt: names.map((_, i) => i), of: [0] } as const;
    return b.region(region, inputs, [weight, ...Object.values(types)]);
  };
  return functionProgram({ ...types, w: weight }, outer, [func]);
}

test('batch normalisation is one kernel, and so is its derivative', () => {
  const x = tensor('f32', batch, 6, 5, 5);
  const channel = tensor('f32', 6);
  const program = withGradient({ x, scale: channel, shift: channel }, x, (b, p) => {
    const perChannel = (v: Value) => b.reshape(v, [6, 1, 1].map(dimConst));
    const mean = (v: Value) => perChannel(b.elementwise('div', [b.sum(v, [0, 2, 3]), b.constant(50, 'f32')]));
    const centred = b.elementwise('sub', [at(p, 'x'), mean(at(p, 'x'))]);
    const variance = mean(b.elementwise('mul', [centred, centred]));
    const normal = b.elementwise('mul', [centred, b.elementwise('rsqrt', [variance])]);
    return b.elementwise('add', [
      b.elementwise('mul', [normal, perChannel(at(p, 'scale'))]),
      perChannel(at(p, 'shift')),
    ]);
  });
  const kernels = kernelsOf(program);
  assert.equal(
    kernels.map((kernel) => kernel.form),
    ['rows'],
  );
  // Without the gradient in the same call, the two would be apart: here the weights are known beforehand.
  assert.is(kernels[0]?.func.results.length, 4);
});

test('what follows a convolution and feeds a normalisation is not stored twice', () => {
  const program = withGradient(
    { x: tensor('f32', batch, 8), k: tensor('f32', 32, 8), c: tensor('f32', 32) },
    tensor('f32', batch, 32),
    (b, p) => {
      const h = linear(b, at(p, 'x'), at(p, 'k'), at(p, 'c'), 'z');
      const gate = b.elementwise('mul', [h, b.constant(0.5, 'f32')]);
      return b.elementwise('mul', [gate, b.elementwise('relu', [h])]);
    },
  );
  const [forward] = kernelsOf(program);
  assert.is(forward?.form, 'contraction');
  // The product and the sum before it; halves and masks are computed again from that.
  assert.is(forward?.func.results.length, 2);
});

test('attention is two contractions around rows, and reads its operands without copies', () => {
  const type = tensor('f32', batch, 16, 4, 8);
  const program = functionProgram({ q: type, k: type, v: type }, (b, p) => {
    const heads = (x: Value) => b.permute(x, [0, 2, 1, 3]);
    const extents = { b: batch, h: dimConst(4), i: dimConst(16), j: dimConst(16), d: dimConst(8) };
    const space = (names: readonly (keyof typeof extents)[], outer: number) => ({
      indices: names.map((name) => ({ name, extent: extents[name] })),
      outer,
    });
    const scores = b.contract(
      space(['b', 'h', 'i', 'j', 'd'], 4),
      [plainAccess([0, 1, 2, 4]), plainAccess([0, 1, 3, 4])],
      [heads(at(p, 'q')), heads(at(p, 'k'))],
    );
    const weights = softmax(b, b.elementwise('mul', [scores, b.constant(0.35, 'f32')]));
    return [
      b.contract(
        space(['b', 'h', 'i', 'd', 'j'], 4),
        [plainAccess([0, 1, 2, 4]), plainAccess([0, 1, 4, 3])],
        [weights, heads(at(p, 'v'))],
      ),
    ];
  });
  assert.equal(formsOf(program), ['contraction', 'rows', 'contraction']);
  for (const { func } of kernelsOf(program)) assert.not.ok(func.nodes.some((node) => nodeName(node) === 'permute'));
});

test('an update of Adam is one kernel with three results', () => {
  const type = tensor('f32', 30, 40);
  const program = functionProgram({ p: type, g: type, m: type, v: type }, (b, a) => {
    const c = (value: number) => b.constant(value, 'f32');
    const mix = (old: Value, rate: number, next: Value) =>
      b.elementwise('add', [b.elementwise('mul', [old, c(rate)]), b.elementwise('mul', [next, c(1 - rate)])]);
    const square = b.elementwise('mul', [at(a, 'g'), at(a, 'g')]);
    const [m, v] = [mix(at(a, 'm'), 0.9, at(a, 'g')), mix(at(a, 'v'), 0.999, square)];
    const size = b.elementwise('sqrt', [b.elementwise('mul', [v, v])]);
    const step = b.elementwise('div', [m, b.elementwise('add', [size, c(1e-8)])]);
    return [b.elementwise('sub', [at(a, 'p'), b.elementwise('mul', [c(0.001), step])]), m, v];
  });
  const [kernel, ...others] = kernelsOf(program);
  assert.is(others.length, 0);
  assert.is(kernel?.form, 'map');
  assert.is(kernel?.func.results.length, 3);
});

test('a matrix product keeps bias, activation, mask and residual; its operands are not recomputed', () => {
  const program = functionProgram(
    { x: tensor('f32', batch, 64), w: tensor('f32', 32, 64), c: tensor('f32', 32), r: tensor('f32', batch, 32) },
    (b, p) => {
      const h = b.elementwise('tanh', [linear(b, at(p, 'x'), at(p, 'w'), at(p, 'c'), 'z')]);
      return [b.elementwise('add', [h, at(p, 'r')])];
    },
  );
  assert.equal(formsOf(program), ['contraction']);
  const before = functionProgram(
    { x: tensor('f32', batch, 64), w: tensor('f32', 32, 64), c: tensor('f32', 32) },
    (b, p) => [linear(b, b.elementwise('exp', [at(p, 'x')]), at(p, 'w'), at(p, 'c'), 'z')],
  );
  assert.equal(formsOf(before), ['map', 'contraction']);
});

test('a contraction widens what it reads, which is stored as narrow as it is', () => {
  const isCast = (func: Func): boolean => func.nodes.every((node) => nodeName(node) === 'cast');
  const weights = functionProgram(
    { x: tensor('f32', batch, 512), w: tensor('bf16', 512, 512), c: tensor('f32', 512) },
    (b, p) => [linear(b, at(p, 'x'), b.cast(at(p, 'w'), 'f32'), at(p, 'c'), 'z')],
  );
  assert.equal(formsOf(weights), ['contraction']);
  const rounded = functionProgram(
    { x: tensor('f32', batch, 512), w: tensor('f32', 512, 512), c: tensor('f32', 512) },
    (b, p) => {
      const round = (x: Value): Value => b.cast(b.cast(x, 'bf16'), 'f32');
      return [linear(b, round(b.elementwise('exp', [at(p, 'x')])), round(at(p, 'w')), at(p, 'c'), 'z')];
    },
  );
  const kernels = kernelsOf(rounded);
  assert.equal(counts(kernels.map(({ form }) => form)), { map: 2, contraction: 1 });
  assert.ok(kernels.some(({ func }) => isCast(func)));
  const stored = kernels.filter(({ form }) => form === 'map').flatMap(({ func }) => func.results);
  assert.equal(
    stored.map(({ type }) => type.dtype),
    ['bf16', 'bf16'],
  );
});

test('rows widen what they read, so that a product before them stores it as narrow as it is', () => {
  const text = `tdsl 1
dim B
export fn loss(x: bf16[B, 64], w: bf16[64, 1000], y: i64[B]) -> (bf16[], bf16[64, 1000]) =
  value_and_grad(w => cross_entropy(x @ w, y))(w)
`;
  const products = kernelsOf(programOf(text)).filter(({ form }) => form === 'contraction');
  assert.equal(
    products.flatMap(({ func }) => func.results.map(({ type }) => type.dtype)),
    ['bf16', 'bf16'],
  );
});

test('a value that costs more than a load is computed once for all its readers', () => {
  const program = functionProgram({ x: tensor('f32', batch, 8), w: tensor('f32', 4, 8) }, (b, p) => {
    const e = b.elementwise('exp', [at(p, 'x')], 'e');
    const z = b.contract(
      {
        indices: [
          { name: 'b', extent: batch },
          { name: 'o', extent: dimConst(4) },
          { name: 'k', extent: dimConst(8) },
        ],
        outer: 2,
      },
      [plainAccess([0, 2]), plainAccess([1, 2])],
      [e, at(p, 'w')],
    );
    return [z, b.elementwise('mul', [e, e]), b.sum(e, [1])];
  });
  const kernels = kernelsOf(program);
  const computing = kernels.filter(({ func }) => func.nodes.some((node) => nodeName(node) === 'exp'));
  assert.is(computing.length, 1);
  assert.equal(counts(kernels.map((kernel) => kernel.form)), { rows: 1, contraction: 1 });
});

test('views are index arithmetic in maps; reshapes of stored values stay outside', () => {
  const program = functionProgram({ x: tensor('f32', batch, 4, 6) }, (b, p) => {
    const turned = b.permute(b.elementwise('exp', [at(p, 'x')]), [0, 2, 1]);
    return [b.reshape(b.elementwise('neg', [turned]), [batch, dimConst(24)])];
  });
  assert.equal(formsOf(program), ['map']);
  const fused = runPipeline(program, defaultPipeline).module.functions.get('f') as Func;
  assert.equal(fused.nodes.map(nodeName), ['kernel', 'reshape']);
});

test('the sum of a mean pool reads its windows in one kernel, with what follows', () => {
  const program = functionProgram({ x: tensor('f32', batch, 3, 8) }, (b, p) => {
    const indices = (['b', 'c', 'i', 'u'] as const).map((name, i) => ({
      name,
      extent: [batch, dimConst(3), dimConst(4), dimConst(2)][i] as Dim,
    }));
    const window = affineSubscript(
      affine([
        { index: 2, coefficient: 2 },
        { index: 3, coefficient: 1 },
      ]),
      1,
      dimConst(8),
      indices,
    );
    const [sum] = b.reduceOver('sum', at(p, 'x'), { indices, outer: 3 }, [
      plainSubscript(0),
      plainSubscript(1),
      window,
    ]);
    return [b.elementwise('mul', [sum as Value, b.constant(0.5, 'f32')])];
  });
  assert.equal(formsOf(program), ['reduction']);
});

test('equal kernels are one function', () => {
  const type = tensor('f32', 7);
  const program = functionProgram({ a: type, b: type }, (b, p) => [
    b.sum(b.elementwise('exp', [at(p, 'a')]), [0]),
    b.sum(b.elementwise('exp', [at(p, 'b')]), [0]),
  ]);
  const names = kernelsOf(program).map((kernel) => kernel.func.name);
  assert.is(names.length, 2);
  assert.is(new Set(names).size, 1);
});

test('results that are constants, views or parameters are made', () => {
  const program = functionProgram({ x: tensor('f32', 3, 2) }, (b, p) => [
    at(p, 'x'),
    b.permute(at(p, 'x'), [1, 0]),
    b.constant(2, 'f32', [dimConst(3)]),
    b.iota([dimConst(4)], 0),
  ]);
  assert.equal(formsOf(program), ['map', 'map', 'map']);
});

test('a chain of ten thousand operations on scalars', () => {
  const program = programOf(`export fn f(a: f64, b: f64) -> f64 {
  let x = a
  for i in 0..3400 { x = sin(x) * b + a }
  x
}`);
  const { module } = runPipeline(program, defaultPipeline, { verify: false });
  const inputs = [0.3, 0.4].map((value) => hostTensor('f64', [], [value]));
  const [result] = evaluateFunction(module, 'f', inputs) as readonly [HostTensor];
  let x = 0.3;
  for (let i = 0; i < 3400; i++) x = Math.sin(x) * 0.4 + 0.3;
  assert.ok(Math.abs((numbersOf(result)[0] as number) - x) < 1e-12);
});

test.run();
