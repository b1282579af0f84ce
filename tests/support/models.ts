// Training steps built by hand through the Builder, as programs with state: what the front end makes of small models.

import { Builder } from '../../compiler/ir/builder.js';
import { type Dim, dimConst, dimSymbol, toDim } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import type { Func, TensorType, Value } from '../../compiler/ir/graph.js';
import { affine, affineSubscript, plainAccess, plainSubscript } from '../../compiler/ir/space.js';
import type { Entry, Program, StateLeaf } from '../../compiler/program.js';

export const batch = dimSymbol('B');

export const tensor = (dtype: DType, ...shape: readonly (number | Dim)[]): TensorType => ({
  dtype,
  shape: shape.map(toDim),
});

/** `x @ wᵀ + bias`. */
export function linear(b: Builder, x: Value, weight: Value, bias: Value, hint: string): Value {
  const [rows, inputs] = x.type.shape as readonly [Dim, Dim];
  const [units] = weight.type.shape as readonly [Dim];
  const indices = [
    { name: 'b', extent: rows },
    { name: 'o', extent: units },
    { name: 'k', extent: inputs },
  ];
  const z = b.contract({ indices, outer: 2 }, [plainAccess([0, 2]), plainAccess([1, 2])], [x, weight], [], hint);
  return b.elementwise('add', [z, bias], hint);
}

/** A convolution of images with square kernels, stride 1. */
export function conv2d(b: Builder, x: Value, weight: Value, bias: Value, padding: number, hint: string): Value {
  const [n, c, h, w] = x.type.shape as readonly [Dim, Dim, Dim, Dim];
  const [o, , k] = weight.type.shape as readonly [Dim, Dim, Dim];
  const out = (size: Dim) => dimConst(Number(size.key) + 2 * padding - Number(k.key) + 1);
  const extents = { n, o, i: out(h), j: out(w), c, u: k, v: k };
  const indices = Object.entries(extents).map(([name, extent]) => ({ name, extent }));
  const window = (at: number, tap: number, size: Dim) =>
    affineSubscript(
      affine(
        [
          { index: at, coefficient: 1 },
          { index: tap, coefficient: 1 },
        ],
        -padding,
      ),
      1,
      size,
      indices,
    );
  const input = [plainSubscript(0), plainSubscript(4), window(2, 5, h), window(3, 6, w)];
  const z = b.contract({ indices, outer: 4 }, [input, plainAccess([1, 4, 5, 6])], [x, weight], [], hint);
  return b.elementwise('add', [z, b.reshape(bias, [o, dimConst(1), dimConst(1)])], hint);
}

/** Non-overlapping 2×2 windows. */
export function maxPool2(b: Builder, x: Value, hint: string): Value {
  const [n, c, h, w] = x.type.shape as readonly [Dim, Dim, Dim, Dim];
  const half = (size: Dim) => dimConst(Math.floor(Number(size.key) / 2));
  const two = dimConst(2);
  const extents = { n, c, i: half(h), j: half(w), u: two, v: two };
  const indices = Object.entries(extents).map(([name, extent]) => ({ name, extent }));
  const window = (at: number, tap: number, size: Dim) =>
    affineSubscript(
      affine([
        { index: at, coefficient: 2 },
        { index: tap, coefficient: 1 },
      ]),
      1,
      size,
      indices,
    );
  const access = [plainSubscript(0), plainSubscript(1), window(2, 4, h), window(3, 5, w)];
  return b.reduceOver('max_with_index', x, { indices, outer: 4 }, access, hint)[0] as Value;
}

/** Mean cross-entropy of logits against labels: log-softmax with a shifted maximum, then a gather. */
export function crossEntropy(b: Builder, logits: Value, labels: Value): Value {
  const [rows, classes] = logits.type.shape as readonly [Dim, Dim];
  const column = [rows, dimConst(1)];
  const top = b.elementwise('stop_gradient', [b.reshape(b.reduce('max', logits, [1])[0] as Value, column)]);
  const shifted = b.elementwise('sub', [logits, top], 'shifted');
  const total = b.reshape(b.sum(b.elementwise('exp', [shifted]), [1]), column);
  const logp = b.elementwise('sub', [shifted, b.elementwise('log', [total])], 'logp');
  const space = { indices: [{ name: 'b', extent: rows }], outer: 1 };
  const access = [plainSubscript(0), { kind: 'lookup', operand: 1, subscripts: plainAccess([0]) } as const];
  const picked = b.gather(space, access, [logp, labels], 'picked');
  const sum = b.sum(b.elementwise('neg', [picked]), [0]);
  void classes;
  return b.elementwise('div', [sum, b.size(rows, logits.type.dtype)], 'loss');
}

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A training step by plain gradient descent, optionally with momentum, and the program around it. */
export function trainingProgram(
  parameters: readonly Parameter[],
  input: TensorType,
  forward: (b: Builder, params: readonly Value[], x: Value) => Value,
  momentum = false,
): Program {
  const labels = tensor('i64', batch);
  const types = parameters.map(({ shape }) => tensor('f32', ...shape));
  const loss = new Builder('loss');
  const lossParams = parameters.map(({ name }, i) => loss.param(name, types[i] as TensorType));
  const [lx, ly] = [loss.param('x', input), loss.param('y', labels)];
  const lossFunc = loss.finish([crossEntropy(loss, forward(loss, lossParams, lx), ly)]);

  const step = new Builder('train_step');
  const params = parameters.map(({ name }, i) => step.param(name, types[i] as TensorType));
  const moments = momentum ? parameters.map(({ name }, i) => step.param(`m_${name}`, types[i] as TensorType)) : [];
  const rate = step.param('lr', tensor('f32'));
  const [x, y] = [step.param('x', input), step.param('y', labels)];
  const one = step.constant(1, 'f32');
  const region = { type: 'vjp', fn: 'loss', wrt: parameters.map((_, i) => i), of: [0] } as const;
  const [value, ...gradients] = step.region(region, [...params, x, y, one], [tensor('f32'), ...types], 'l');
  const updates = params.map((param, i) => {
    const gradient = gradients[i] as Value;
    const moment = moments[i];
    const direction = moment
      ? step.elementwise('add', [step.elementwise('mul', [step.constant(0.9, 'f32'), moment]), gradient], moment.name)
      : gradient;
    return {
      direction,
      param: step.elementwise('sub', [param, step.elementwise('mul', [rate, direction])], param.name),
    };
  });
  const results = [
    value as Value,
    ...updates.map((u) => u.param),
    ...(momentum ? updates.map((u) => u.direction) : []),
  ];
  const stepFunc = step.finish(results);

  const leaf = (path: string, role: StateLeaf['role'], shape: readonly number[]): StateLeaf => ({
    path,
    role,
    dtype: 'f32',
    shape,
  });
  const state = [
    ...parameters.map(({ name, shape }) => leaf(`net.${name}`, 'param', shape)),
    ...(momentum ? parameters.map(({ name, shape }) => leaf(`opt.m.${name}`, 'state', shape)) : []),
    leaf('opt.lr', 'state', []),
  ];
  const leaves = state.map((_, i) => ({ kind: 'state', leaf: i }) as const);
  const entry: Entry = {
    name: 'train_step',
    fn: 'train_step',
    inputs: [...leaves, { kind: 'argument', path: 'x' }, { kind: 'argument', path: 'y' }],
    outputs: [{ kind: 'result', path: '' }, ...leaves.slice(0, -1)],
    arguments: [
      { name: 'x', structure: { kind: 'tensor', index: 0, type: input } },
      { name: 'y', structure: { kind: 'tensor', index: 1, type: labels } },
    ],
    result: { kind: 'tensor', index: 0, type: tensor('f32') },
    symbols: ['B'],
    constraints: [],
  };
  const functions = new Map<string, Func>([lossFunc, stepFunc].map((func) => [func.name, func]));
  return { name: 'model', module: { functions }, entries: [entry], state };
}

export const softmaxRegression = (): Program =>
  trainingProgram(
    [
      { name: 'w', shape: [10, 784] },
      { name: 'bias', shape: [10] },
    ],
    tensor('f32', batch, 784),
    (b, [w, bias], x) => linear(b, x, w as Value, bias as Value, 'z'),
  );

export const mlp = (
  momentum = false,
  [inputs, hidden, classes] = [784, 256, 10] as readonly [number, number, number],
): Program =>
  trainingProgram(
    [
      { name: 'w1', shape: [hidden, inputs] },
      { name: 'b1', shape: [hidden] },
      { name: 'w2', shape: [classes, hidden] },
      { name: 'b2', shape: [classes] },
    ],
    tensor('f32', batch, inputs),
    (b, [w1, b1, w2, b2], x) => {
      const h = b.elementwise('relu', [linear(b, x, w1 as Value, b1 as Value, 'z1')], 'h');
      return linear(b, h, w2 as Value, b2 as Value, 'z2');
    },
    momentum,
  );

export const leNet = (): Program =>
  trainingProgram(
    [
      { name: 'k1', shape: [6, 1, 5, 5] },
      { name: 'b1', shape: [6] },
      { name: 'k2', shape: [16, 6, 5, 5] },
      { name: 'b2', shape: [16] },
      { name: 'w3', shape: [120, 400] },
      { name: 'b3', shape: [120] },
      { name: 'w4', shape: [10, 120] },
      { name: 'b4', shape: [10] },
    ],
    tensor('f32', batch, 1, 28, 28),
    (b, p, x) => {
      const at = (i: number) => p[i] as Value;
      const h1 = maxPool2(b, b.elementwise('relu', [conv2d(b, x, at(0), at(1), 2, 'c1')], 'h1'), 'p1');
      const h2 = maxPool2(b, b.elementwise('relu', [conv2d(b, h1, at(2), at(3), 0, 'c2')], 'h2'), 'p2');
      const flat = b.reshape(h2, [batch, dimConst(400)], 'flat');
      const h3 = b.elementwise('relu', [linear(b, flat, at(4), at(5), 'z3')], 'h3');
      return linear(b, h3, at(6), at(7), 'z4');
    },
  );
