// Parts of a program as functions of the graph: the bodies and conditions of loops, and branches. What such a piece reads from outside
// becomes a parameter; what it writes to the state, and to variables around it, comes out beside its value.

import { isFloat } from '../../ir/dtype.js';
import type { Func, Value } from '../../ir/graph.js';
import type { Context } from '../context.js';
import { Frame } from '../frame.js';
import type { Binding, Scope } from '../scope.js';
import type { Cell, Val } from '../values.js';

export interface Piece<T> {
  readonly frame: Frame;
  readonly value: T;
  /** The new values of the cells that it writes. */
  readonly cells: ReadonlyMap<Cell, Value>;
}

/** Writes a function of the graph, without finishing it; the state is as before afterwards. */
export function writePiece<T>(cx: Context, name: string, body: (frame: Frame) => T): Piece<T> {
  const frame = new Frame(name, cx.frame);
  try {
    return cx.inFrame(frame, () => {
      const value = body(frame);
      return { frame, value, cells: new Map([...frame.written.keys()].map((cell) => [cell, cell.value])) };
    });
  } finally {
    for (const [cell, value] of frame.written) cell.value = value;
  }
}

/** Runs `body`, which may draw from another key; the key is as before afterwards. */
export function keepingKey<T>(cx: Context, body: () => T): T {
  const { randomKey } = cx;
  try {
    return body();
  } finally {
    cx.randomKey = randomKey;
  }
}

/** The values from outside that pieces read, in order of first use. */
export const capturesOf = (pieces: readonly Piece<unknown>[]): readonly Value[] => [
  ...new Set(pieces.flatMap(({ frame }) => [...frame.captures.keys()])),
];

/**
 * Finishes a piece as a function of the module. `params` are its own first and last parameters; between them it takes `captures`. The
 * results are values of the frame.
 */
export function finishPiece(
  cx: Context,
  { frame }: Piece<unknown>,
  captures: readonly Value[],
  params: { readonly first: readonly Value[]; readonly last: readonly Value[] },
  results: readonly Value[],
): Func {
  const own = captures.map((value) => frame.local(value));
  const name = cx.functionName(frame.name);
  const func: Func = {
    ...frame.finish(results, frame.origin),
    name,
    params: [...params.first, ...own, ...params.last],
  };
  cx.functions.set(name, func);
  return func;
}

/** The inputs of a loop or branch: inside of `no_grad` they are constants for derivatives, so that these do not go through it. */
export const inputsOf = (cx: Context, values: readonly Value[]): readonly Value[] =>
  cx.withoutGradient === 0
    ? values
    : values.map((value) => (isFloat(value.type.dtype) ? cx.b.elementwise('stop_gradient', [value]) : value));

/** The bindings in sight of a scope with their values. */
export function bindingsOf(scope: Scope): ReadonlyMap<Binding, Val> {
  const found = new Map<Binding, Val>();
  for (const name of scope.names()) {
    const binding = scope.find(name)?.binding;
    if (binding !== undefined && binding.role === 'variable') found.set(binding, binding.value);
  }
  return found;
}

/** What has been assigned since; the bindings are as before afterwards. */
export function takeAssigned(before: ReadonlyMap<Binding, Val>): ReadonlyMap<Binding, Val> {
  const assigned = new Map<Binding, Val>();
  for (const [binding, value] of before) {
    if (binding.value === value) continue;
    assigned.set(binding, binding.value);
    binding.value = value;
  }
  return assigned;
}
