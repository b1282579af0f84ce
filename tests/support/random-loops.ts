// Random loops for property tests: bodies of random nodes, in every form of loop, with branches and checkpoints in them.

import fc from 'fast-check';
import { Builder } from '../../compiler/ir/builder.js';
import { loopResultTypes } from '../../compiler/ir/control.js';
import { type Dim, dimSymbol } from '../../compiler/ir/dims.js';
import type { Func, LoopRegion, TensorType, Value } from '../../compiler/ir/graph.js';
import { printModule } from '../../compiler/ir/print.js';
import { typesOf } from '../../compiler/ir/rewrite.js';
import { Choices } from './choices.js';
import { type Grower, steps } from './graph-steps.js';
import type { Loop } from './loops.js';

const [B, N, T] = ['B', 'N', 'T'].map(dimSymbol) as [Dim, Dim, Dim];
const f64 = (...shape: readonly Dim[]): TensorType => ({ dtype: 'f64', shape });
const position: TensorType = { dtype: 'i64', shape: [] };

/** The run-time dimensions that the loops are tried with. */
export const randomLoopDims: ReadonlyMap<string, number> = new Map([
  ['B', 2],
  ['N', 3],
  ['T', 4],
]);

/** An arbitrary of loops over `T` slices. Their values and derivatives are of moderate size. */
export const randomLoop = (): fc.Arbitrary<Loop> =>
  fc.array(fc.nat({ max: 5039 }), { minLength: 4, maxLength: 90, size: 'max' }).map((numbers) => {
    const functions = new Map<string, Func>();
    growLoop(new Choices(numbers), functions);
    const module = { functions };
    return { module, fn: 'loop', [fc.toStringMethod]: () => printModule(module) };
  });

/** Adds a few random nodes; gives all values of floats of rank at most 3. */
function grow(b: Builder, choices: Choices, values: readonly Value[], count: number): readonly Value[] {
  const found = [...values];
  for (let n = 0; n < count && !choices.exhausted; n++) {
    const grower: Grower = {
      b,
      choices,
      dtype: 'f64',
      values: found,
      functions: new Map(),
      options: { differentiable: true },
    };
    for (const made of choices.of(steps)(grower))
      if (made.type.dtype === 'f64' && made.type.shape.length <= 3) found.push(made);
  }
  return found;
}

/** A value of a type that depends on both values: large numbers are made small. */
function fitted(b: Builder, like: Value, value: Value): Value {
  const all = b.sum(
    value,
    value.type.shape.map((_, i) => i),
  );
  const small = b.elementwise('sin', [all]);
  return b.elementwise('tanh', [b.elementwise('add', [like, small])]);
}

/** A function of `like` and another value that has the type of `like`. */
function growPiece(name: string, choices: Choices, like: Value, other: Value): Func {
  const b = new Builder(name);
  const params = [b.param('h', like.type), b.param('x', other.type)];
  const values = grow(b, choices, params, 3);
  return b.finish([fitted(b, params[0] as Value, choices.of(values))]);
}

function growBody(choices: Choices, functions: Map<string, Func>): Func {
  const b = new Builder('body');
  const i = b.param('i', position);
  const [c, h, k, x] = [
    b.param('c', f64(B, N)),
    b.param('h', f64(B, N)),
    b.param('k', f64()),
    b.param('x', f64(N)),
  ] as const;
  let values = grow(b, choices, [c, h, k, x, b.cast(i, 'f64')], 5);
  const last = values.at(-1) as Value;
  const form = choices.of(['plain', 'if', 'checkpoint'] as const);
  if (form !== 'plain') {
    const pieces = form === 'if' ? ['then', 'otherwise'] : ['closed'];
    for (const name of pieces) functions.set(name, growPiece(name, choices, h, last));
    const test = b.elementwise('ge', [i, b.constant(choices.below(3), 'i64')]);
    const made =
      form === 'if'
        ? b.region({ type: 'if', fn: 'then', otherwise: 'otherwise' }, [test, h, last], [h.type])
        : b.region({ type: 'checkpoint', fn: 'closed' }, [h, last], [h.type]);
    values = grow(b, choices, [...values, ...made, ...made], 3);
  }
  const next = choices.oneIn(4) ? c : fitted(b, h, choices.of(values));
  const count = choices.oneIn(4) ? k : fitted(b, k, choices.of(values));
  const ys = Array.from({ length: choices.below(3) }, () => fitted(b, choices.of([h, x, k]), choices.of(values)));
  return b.finish([next, count, ...ys]);
}

function growLoop(choices: Choices, functions: Map<string, Func>): void {
  const form = choices.of(['scan', 'reverse', 'counted', 'while'] as const);
  const body = growBody(choices, functions);
  functions.set(body.name, body);
  if (form === 'while') {
    const b = new Builder('more');
    const params = body.params.slice(0, 4).map((param) => b.param(param.name, param.type));
    functions.set('more', b.finish([b.elementwise('lt', [params[0] as Value, b.constant(3, 'i64')])]));
  }
  const b = new Builder('loop');
  const inputs = [b.param('c', f64(B, N)), b.param('h', f64(B, N)), b.param('k', f64()), b.param('xs', f64(T, N))];
  const region: LoopRegion = {
    type: 'loop',
    fn: 'body',
    ...(form === 'while' && { condition: 'more' }),
    length: T,
    counted: form === 'counted',
    reverse: form === 'reverse' || (form === 'counted' && choices.oneIn(2)),
    carries: 2,
    xs: 1,
  };
  const trips = form === 'counted' ? [b.constant(choices.below(4), 'i64')] : [];
  const results = b.region(region, [...trips, ...inputs], loopResultTypes(region, typesOf(body.results)));
  functions.set('loop', b.finish(results.filter(({ type }) => type.dtype === 'f64')));
}
