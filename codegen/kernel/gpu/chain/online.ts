// Finds the folds of a softmax, the largest element and sums of exponentials below it, and takes them in one sweep (Milakov & Gimelshein 2018):
// the exponentials are those below the largest element so far, and when that grows, sums of them are multiplied by the exponential of the
// difference. Sums of a product with weights of that kind are as well (FlashAttention, Dao et al. 2022), so that an attention is one sweep.

import { dtypeBytes, isFloat } from '../../../../compiler/ir/dtype.js';
import { argument, callScalar, type Scalar } from '../../../../compiler/ir/scalar.js';
import { type Expr, exprTemps, type Stmt, type Temp } from '../../ir.js';
import { printScalar } from '../../print.js';
import type { Levels } from './levels.js';
import type { RowFold, RowProgram } from './rows.js';

/** A softmax in the first sweep. */
export interface Online {
  /** The fold of the largest element, which takes `element`. */
  readonly largest: RowFold;
  readonly element: Temp;
  /** element - largest, and its exponential. */
  readonly below: Temp;
  readonly power: Temp;
  /** The exponential as a scalar function. */
  readonly exponential: Scalar;
  /** The sums of exponentials. */
  readonly sums: readonly RowFold[];
}

/** A weight as an exponential, times other values of the first sweep, times values of the row that are known after it. */
export interface OnlineWeight {
  readonly temp: Temp;
  readonly factors: readonly { readonly op: 'mul' | 'div'; readonly temp: Temp }[];
}

/** The softmax of the first sweep, if there is one. */
export function onlineOf(program: RowProgram, levels: Levels): Online | undefined {
  for (const largest of program.folds) {
    const online = levels.ofFold(largest) === 0 ? onlineAround(program, levels, largest) : undefined;
    if (online !== undefined) return online;
  }
  return undefined;
}

function onlineAround(program: RowProgram, levels: Levels, largest: RowFold): Online | undefined {
  const [top] = largest.accumulate.results;
  const [element] = largest.args;
  if (top === undefined || element === undefined || !isFold(largest, 'max', -Infinity)) return undefined;
  const [below, ...others] = elementUsers(program, levels, top);
  const isBelow =
    below !== undefined &&
    others.length === 0 &&
    scalarText(below.value) === 'sub($0, $1)' &&
    uses(below, [element, top]);
  if (!isBelow) return undefined;
  const [power, ...more] = elementUsers(program, levels, below.temp);
  const exponential = power?.value.kind === 'scalar' && more.length === 0 ? exponentialIn(power.value.body) : undefined;
  if (power === undefined || exponential === undefined) return undefined;
  const sums = program.folds.filter(
    (fold) => isFold(fold, 'add', 0) && isMultiple(levels, fold.args[0] as Temp, power.temp),
  );
  return {
    largest,
    element,
    below: below.temp,
    power: power.temp,
    exponential,
    sums,
  };
}

/**
 * The weight of the second product, if its sums can be rescaled. Where weights are rounded to 16 bits the exponential is rounded, as a factor of the
 * product, and not what the factors make of it: the relative error is the same.
 */
export function onlineWeight(levels: Levels, weight: Temp, { power }: Online): OnlineWeight | undefined {
  const factors: { op: 'mul' | 'div'; temp: Temp }[] = [];
  let temp = weight;
  for (;;) {
    const value = levels.letOf(temp)?.value;
    const text = value && scalarText(value);
    const [a, b] = value === undefined ? [] : exprTemps(value);
    if (a !== undefined && isRounding(value, a)) {
      temp = a;
      continue;
    }
    const isLate = (each: Temp): boolean => !levels.isElement(each) && levels.of(each) > 0;
    if (a === undefined || b === undefined || (text !== 'mul($0, $1)' && text !== 'div($0, $1)')) break;
    const factor = isLate(b) ? b : text === 'mul($0, $1)' && isLate(a) ? a : undefined;
    if (factor === undefined) break;
    factors.push({ op: text === 'div($0, $1)' ? 'div' : 'mul', temp: factor });
    temp = factor === b ? a : b;
  }
  return isMultiple(levels, temp, power) ? { temp, factors } : undefined;
}

/** Whether a value is a float of 32 bits rounded to 16. */
const isRounding = (value: Expr | undefined, { dtype }: Temp): boolean =>
  value?.kind === 'scalar' &&
  value.body.kind === 'cast' &&
  value.body.arg.kind === 'argument' &&
  isFloat(value.body.dtype) &&
  dtypeBytes(value.body.dtype) === 2 &&
  dtype === 'f32';

/** Whether a value is an exponential times something that is known in the first sweep. */
function isMultiple(levels: Levels, temp: Temp, power: Temp): boolean {
  if (temp.name === power.name) return true;
  const value = levels.letOf(temp)?.value;
  const text = value && scalarText(value);
  const [a, b] = value === undefined ? [] : exprTemps(value);
  if (a === undefined) return false;
  const isKnown = (each: Temp | undefined): boolean => each !== undefined && levels.of(each) === 0;
  if (text === 'neg($0)') return isMultiple(levels, a, power);
  if (text === 'mul($0, $1)' && isKnown(a) && b !== undefined) return isMultiple(levels, b, power);
  return (text === 'mul($0, $1)' || text === 'div($0, $1)') && isKnown(b) && isMultiple(levels, a, power);
}

/**
 * Whether a fold has one state, these steps, with their operands in whatever order, and this first value. What is narrower than the state is made as
 * wide, and the state as narrow at the end.
 */
export function isFold({ accumulate: { fold }, args, guards }: RowFold, op: 'max' | 'add', first: number): boolean {
  const [init, step, finish] = [fold.init[0], fold.step[0], fold.finish[0]];
  const isPlain = fold.state.length === 1 && args.length === 1 && guards.length === 0;
  const isSame = finish !== undefined && withoutCast(finish).kind === 'argument';
  if (!isPlain || !isSame || init?.kind !== 'constant' || init.value !== first) return false;
  if (step?.kind !== 'apply' || step.op !== op) return false;
  const places = step.args.map(withoutCast).map((arg) => (arg.kind === 'argument' ? arg.index : -1));
  return places.includes(0) && places.includes(1);
}

const withoutCast = (scalar: Scalar): Scalar => (scalar.kind === 'cast' ? scalar.arg : scalar);

/** The exponential that a function of one argument is, but for the width in which it is computed. */
function exponentialIn(body: Scalar): Scalar | undefined {
  const call = withoutCast(body);
  if (call.kind !== 'call' || !/^exp_f\d+$/.test(call.fn.name)) return undefined;
  const [arg] = call.args;
  return arg !== undefined && withoutCast(arg).kind === 'argument'
    ? callScalar(call.fn, argument(0, arg.dtype))
    : undefined;
}

export const scalarText = (value: Expr): string => (value.kind === 'scalar' ? printScalar(value.body) : '');

const elementUsers = ({ values }: RowProgram, levels: Levels, { name }: Temp) =>
  values.filter((stmt) => levels.isElement(stmt.temp) && exprTemps(stmt.value).some((temp) => temp.name === name));

const uses = (stmt: Extract<Stmt, { kind: 'let' }>, temps: readonly Temp[]): boolean =>
  exprTemps(stmt.value).every((temp, i) => temp.name === temps[i]?.name);
