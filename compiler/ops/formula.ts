// The notation in which records write their partial derivatives: formulas over elementwise operations by name.

import type { Formula, Partial } from './op.js';

/** A formula, or a number in the common dtype of the operands. */
export type Part = Formula | number;

const part = (value: Part): Formula => (typeof value === 'number' ? { kind: 'literal', value } : value);

/** The operands and the result of the operation whose partials are written. */
export const x: Formula = { kind: 'operand', index: 0 };
export const y: Formula = { kind: 'operand', index: 1 };
export const z: Formula = { kind: 'operand', index: 2 };
export const result: Formula = { kind: 'result' };

/** The elementwise operation `op` of the given parts. */
export const on = (op: string, ...args: readonly Part[]): Formula => ({ kind: 'apply', op, args: args.map(part) });

/** A number in the common dtype of the operands. */
export const literal = (value: number): Formula => ({ kind: 'literal', value });

export const add = (a: Part, b: Part): Formula => on('add', a, b);
export const sub = (a: Part, b: Part): Formula => on('sub', a, b);
export const mul = (a: Part, b: Part): Formula => on('mul', a, b);
export const div = (a: Part, b: Part): Formula => on('div', a, b);
export const neg = (a: Part): Formula => on('neg', a);
export const where = (condition: Formula, then: Part, otherwise: Part): Formula =>
  on('where', condition, then, otherwise);

/** The partial derivative is this formula. */
export const partial = (formula: Part): Partial => ({ kind: 'formula', formula: part(formula) });

/** There is no derivative, or it is zero, because … */
export const none = (reason: string): Partial => ({ kind: 'none', reason });
