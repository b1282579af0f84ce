// Prints scalar IR as C. A node whose operands are all single values is computed once for all lanes; any other in all lanes.

import { type DType, dtypeKind } from '../../compiler/ir/dtype.js';
import { type Scalar, type ScalarFunction, scalarOperands } from '../../compiler/ir/scalar.js';
import { narrow, roundTo, widen } from './half.js';
import { stepInstruction } from './intrinsics.js';
import { literalText } from './literals.js';
import { bitcastText, castText, functionText, operatorText, selectText, splatText } from './operators.js';
import { computeType, type Form, scalarForm, suffix } from './types.js';
import type { Unit } from './unit.js';

/** A C expression without effects: a single value, or one in every lane. */
export interface Operand {
  readonly text: string;
  readonly inLanes: boolean;
  /** A literal, which C accepts as an operand beside vectors. */
  readonly isLiteral?: boolean;
}

/** Where statements go. */
export interface Sink {
  readonly unit: Unit;
  line(text: string): void;
  fresh(): string;
}

const isNarrow = (dtype: DType): dtype is 'f16' | 'bf16' => dtype === 'f16' || dtype === 'bf16';

/** The operand in the given form. */
export function inForm(unit: Unit, dtype: DType, form: Form, operand: Operand): string {
  return operand.inLanes || form.lanes === 1 ? operand.text : splatText(unit, dtype, form, operand.text);
}

/** Computes a scalar expression over operands, in the lanes of `form` where any operand is in lanes. */
export const emitScalar = (sink: Sink, root: Scalar, args: readonly Operand[], form: Form): Operand =>
  emitScalars(sink, [root], args, form)[0] as Operand;

/** Computes several scalar expressions over the same operands; what they share is computed once. */
export function emitScalars(sink: Sink, roots: readonly Scalar[], args: readonly Operand[], form: Form): Operand[] {
  const uses = countUses(roots);
  const done = new Map<Scalar, Operand>();
  const visit = (node: Scalar): Operand => {
    const known = done.get(node);
    if (known !== undefined) return known;
    const made = emitNode(sink.unit, node, scalarOperands(node).map(visit), args, form);
    const result = isSimple(node) || (uses.get(node) ?? 0) < 2 ? made : named(sink, node.dtype, form, made);
    done.set(node, result);
    return result;
  };
  return roots.map(visit);
}

const isSimple = (node: Scalar): boolean => node.kind === 'argument' || node.kind === 'constant';

/** Gives an expression a name. A vector that is kept stays in a register while it is used. */
export function named(sink: Sink, dtype: DType, form: Form, operand: Operand, isKept = false): Operand {
  const name = sink.fresh();
  const type = computeType(sink.unit, dtype, operand.inLanes ? form : scalarForm);
  sink.line(isKept ? `${type} ${name} = ${operand.text};` : `const ${type} ${name} = ${operand.text};`);
  if (isKept) sink.line(`TDSL_KEEP_VECTOR(${name});`);
  return { text: name, inLanes: operand.inLanes };
}

function countUses(roots: readonly Scalar[]): ReadonlyMap<Scalar, number> {
  const uses = new Map<Scalar, number>();
  const visit = (node: Scalar): void => {
    const count = (uses.get(node) ?? 0) + 1;
    uses.set(node, count);
    if (count === 1) for (const part of scalarOperands(node)) visit(part);
  };
  roots.forEach(visit);
  return uses;
}

function emitNode(
  unit: Unit,
  node: Scalar,
  operands: readonly Operand[],
  args: readonly Operand[],
  form: Form,
): Operand {
  if (node.kind === 'argument') {
    const arg = args[node.index];
    if (arg === undefined) throw new Error(`scalar argument ${node.index} is missing`);
    return arg;
  }
  if (node.kind === 'constant') return { text: literalText(node.value, node.dtype), inLanes: false, isLiteral: true };
  const inLanes = operands.some((operand) => operand.inLanes);
  const own = inLanes ? form : scalarForm;
  return { text: nodeText(unit, node, operands, own), inLanes };
}

function nodeText(unit: Unit, node: Scalar, operands: readonly Operand[], form: Form): string {
  const all = (): string[] => operands.map((operand, i) => inForm(unit, operandType(node, i), form, operand));
  switch (node.kind) {
    case 'apply': {
      const dtype = node.args[0]?.dtype as DType;
      const isInfix = infixOps.has(node.op) && dtype !== 'bool' && !(node.op === 'div' && dtypeKind(dtype) !== 'float');
      const hasVector = operands.some((operand) => operand.inLanes);
      const texts =
        isInfix && hasVector ? operands.map((operand, i) => literalOrLanes(unit, node, i, form, operand)) : all();
      const text = operatorText(unit, node.op, dtype, form, texts);
      return isNarrow(node.dtype) && node.dtype === dtype ? callText(unit, roundTo[node.dtype], form, [text]) : text;
    }
    case 'select': {
      const [condition, then, otherwise] = all() as [string, string, string];
      return selectText(unit, node.dtype, form, condition, then, otherwise);
    }
    case 'cast':
      return convert(unit, node.arg.dtype, node.dtype, form, all()[0] as string);
    case 'bitcast':
      return reinterpret(unit, node.arg.dtype, node.dtype, form, all()[0] as string);
    case 'call':
      return callText(unit, node.fn, form, all());
    default:
      throw new Error(`scalar ${node.kind} has no operands`);
  }
}

const infixOps: ReadonlySet<string> = new Set([
  'add',
  'sub',
  'mul',
  'div',
  'and',
  'or',
  'xor',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
]);

/** Infix operators of C take a literal beside a vector. */
const literalOrLanes = (unit: Unit, node: Scalar, index: number, form: Form, operand: Operand): string =>
  operand.isLiteral === true ? operand.text : inForm(unit, operandType(node, index), form, operand);

const operandType = (node: Scalar, index: number): DType => scalarOperands(node)[index]?.dtype as DType;

/** Narrow floats are floats in registers: conversions to them round, conversions from them cost nothing. */
function convert(unit: Unit, from: DType, to: DType, form: Form, value: string): string {
  const source = isNarrow(from) ? 'f32' : from;
  if (!isNarrow(to)) return source === to ? value : castText(unit, source, to, form, value);
  const wide = source === 'f32' ? value : castText(unit, source, 'f32', form, value);
  return callText(unit, roundTo[to], form, [wide]);
}

function reinterpret(unit: Unit, from: DType, to: DType, form: Form, value: string): string {
  if (isNarrow(from)) {
    const pattern = callText(unit, narrow[from], form, [value]);
    return castText(unit, 'i32', to, form, pattern);
  }
  if (isNarrow(to)) return callText(unit, widen[to], form, [castText(unit, from, 'i32', form, value)]);
  return bitcastText(unit, from, to, form, value);
}

/** Functions with more operations than this are called, not copied into their callers. */
const INLINE_LIMIT = 120;

/** The operations of a function, with those of the functions that are copied into it. */
const operationsOf = ({ body }: ScalarFunction): number =>
  [...countUses([body]).keys()].reduce(
    (sum, node) => sum + (node.kind === 'call' && isInline(node.fn) ? operationsOf(node.fn) : 1),
    0,
  );

const isInline = (fn: ScalarFunction): boolean => operationsOf(fn) <= INLINE_LIMIT;

/**
 * So many operations may be copies of one function in a file; where there would be more of them, it is called. A C compiler takes 10 to 15 ms for each
 * copy of a sine in lanes, of which unrolled loops make thousands; files of layers, losses and optimizers stay below.
 */
const COPIED_LIMIT = 4096;

/** A call of a scalar function, which is defined in the file on first use. */
export function callText(unit: Unit, fn: ScalarFunction, form: Form, args: readonly string[]): string {
  const name = unit.call(suffixed(fn.name, form), () => functionDefinition(unit, fn, form));
  return `${name}(${args.join(', ')})`;
}

/** The text of a function, for the number of calls of it. */
function functionDefinition(unit: Unit, fn: ScalarFunction, form: Form): (calls: number) => string {
  const name = suffixed(fn.name, form);
  const type = computeType(unit, fn.body.dtype, form);
  const names = fn.params.map((_, i) => `x${i}`);
  const params = fn.params.map((dtype, i) => `${computeType(unit, dtype, form)} ${names[i]}`).join(', ');
  const step = stepInstruction(unit, fn.name, form.lanes, names);
  if (step !== undefined) {
    const text = `/* ${fn.doc} */\n${functionText(type, name, params, `return ${step};`)}`;
    return () => text;
  }
  const lines: string[] = [];
  const sink: Sink = { unit, line: (text) => lines.push(text), fresh: () => `v${lines.length}` };
  const inLanes = form.lanes > 1;
  const operands = names.map((text) => ({ text, inLanes }));
  const result = emitScalar(sink, fn.body, operands, form);
  lines.push(`return ${inForm(unit, fn.body.dtype, form, result)};`);
  return (calls) => {
    const inline = isInline(fn) && calls * operationsOf(fn) <= COPIED_LIMIT ? undefined : 'TDSL_FUNCTION';
    return `/* ${fn.doc.replaceAll('*/', '* /')} */\n${functionText(type, name, params, lines.join('\n  '), inline)}`;
  };
}

const suffixed = (name: string, form: Form): string => (form.lanes === 1 ? name : `${suffix(name, form.lanes)}`);
