// Operators of the scalar IR in C, for single values and for vectors. Integers wrap: emitted files are compiled with -fwrapv.

import { type DType, dtypeKind, intRange } from '../../compiler/ir/dtype.js';
import { convertVector } from './convert.js';
import { floatInstruction, minMaxInstruction, selectInstruction } from './intrinsics.js';
import { floatText, literalText } from './literals.js';
import {
  computeBytes,
  computeElement,
  computeType,
  elementType,
  type Form,
  intElement,
  maskType,
  scalarForm,
  storageType,
  suffix,
  uintElement,
} from './types.js';
import type { Unit } from './unit.js';

const infix: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  and: '&',
  or: '|',
  xor: '^',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge']);

/** An operator applied to operands of one dtype, all in the same form, as a C expression. */
export function operatorText(unit: Unit, op: string, dtype: DType, form: Form, args: readonly string[]): string {
  const [a, b] = args as [string, string];
  const kind = dtypeKind(dtype);
  if (dtype === 'bool') return boolText(op, form, a, b);
  if (comparisons.has(op)) return comparisonText(unit, op, dtype, form, a, b);
  if (op === 'neg') return narrowed(dtype, form, `-${a}`);
  if (op === 'not') return narrowed(dtype, form, `~${a}`);
  const isPlain = ['add', 'sub', 'mul', 'and', 'or', 'xor'].includes(op) || (op === 'div' && kind === 'float');
  if (isPlain) return narrowed(dtype, form, `${a} ${infix[op]} ${b}`);
  return `${helper(unit, op, dtype, form)}(${args.join(', ')})`;
}

/** C computes i8 and i16 as int: the result goes back to its type. */
const narrowed = (dtype: DType, form: Form, text: string): string =>
  form.lanes === 1 && (dtype === 'i8' || dtype === 'u8' || dtype === 'i16')
    ? `(${storageType(dtype)})(${text})`
    : `(${text})`;

function boolText(op: string, form: Form, a: string, b: string): string {
  const not = form.lanes === 1 ? '!' : '~';
  switch (op) {
    case 'and':
    case 'mul':
    case 'min':
      return `(${a} & ${b})`;
    case 'or':
    case 'add':
    case 'max':
      return `(${a} | ${b})`;
    case 'xor':
    case 'ne':
      return `(${a} ^ ${b})`;
    case 'not':
      return `(${not}${a})`;
    case 'eq':
      return form.lanes === 1 ? `(${a} == ${b})` : `(~(${a} ^ ${b}))`;
    case 'lt':
      return `(${not}${a} & ${b})`;
    case 'gt':
      return `(${a} & ${not}${b})`;
    case 'le':
      return `(${not}${a} | ${b})`;
    case 'ge':
      return `(${a} | ${not}${b})`;
    default:
      throw new Error(`scalar ${op} is not defined for bool`);
  }
}

function comparisonText(unit: Unit, op: string, dtype: DType, form: Form, a: string, b: string): string {
  const text = `(${a} ${infix[op]} ${b})`;
  if (form.lanes === 1) return text;
  return resizedMask(unit, text, computeBytes(dtype, form), form.maskBytes, form.lanes);
}

/** A mask with lanes of another width. */
export function resizedMask(unit: Unit, mask: string, from: number, to: number, lanes: number): string {
  const plain = `(${elementType(unit, intElement(from), lanes)})${mask}`;
  return convertVector(unit, intElement(from), intElement(to), lanes, plain);
}

/** Functions are declared by macros of `kernels.h`, so that the text serves every device. */
const alwaysInline = 'TDSL_INLINE';

/** A function of a file. */
export const functionText = (type: string, name: string, params: string, body: string, inline = alwaysInline): string =>
  `${inline} ${type} ${name}(${params}) {\n  ${body}\n}\n`;

function helper(unit: Unit, op: string, dtype: DType, form: Form): string {
  const element = computeElement(dtype, form);
  const name = `${op}_${suffix(element, form.lanes)}`;
  return unit.define(name, () => {
    const type = computeType(unit, dtype, form);
    const arity = op === 'fma' ? 3 : ['min', 'max', 'div', 'rem', 'shl', 'shr', 'ushr'].includes(op) ? 2 : 1;
    const params = ['a', 'b', 'c'].slice(0, arity);
    const body = helperBody(unit, op, dtype, form, element, params);
    return functionText(type, name, params.map((param) => `${type} ${param}`).join(', '), body);
  });
}

function helperBody(
  unit: Unit,
  op: string,
  dtype: DType,
  form: Form,
  element: string,
  params: readonly string[],
): string {
  const isFloat = dtypeKind(dtype) === 'float';
  const isVector = form.lanes > 1;
  if (op === 'min' || op === 'max') return minMaxBody(unit, op, dtype, form, element);
  if (op === 'abs') return absBody(unit, dtype, form, element);
  if (isFloat) {
    const instruction = isVector ? floatInstruction(unit, op, element, form.lanes, params) : undefined;
    if (instruction !== undefined) return `return ${instruction};`;
    return isVector
      ? lanewise(unit, op, dtype, form, params)
      : `return ${floatFunction(op, element)}(${params.join(', ')});`;
  }
  return isVector ? vectorIntegerBody(unit, op, dtype, form) : scalarIntegerBody(op, dtype);
}

/** Calls the function for single values on every lane. */
function lanewise(unit: Unit, op: string, dtype: DType, form: Form, params: readonly string[]): string {
  const single = helper(unit, op, dtype, scalarForm);
  const lanes = Array.from(
    { length: form.lanes },
    (_, lane) => `${single}(${params.map((p) => `${p}[${lane}]`).join(', ')})`,
  );
  return `return (${computeType(unit, dtype, form)}){${lanes.join(', ')}};`;
}

function floatFunction(op: string, element: string): string {
  const names: Readonly<Record<string, string>> = { round: 'rint', rem: 'fmod' };
  return `__builtin_${names[op] ?? op}${element === 'f64' ? '' : 'f'}`;
}

function minMaxBody(unit: Unit, op: 'min' | 'max', dtype: DType, form: Form, element: string): string {
  const order = op === 'min' ? '<' : '>';
  const isFloat = dtypeKind(dtype) === 'float';
  if (form.lanes === 1) return `return ${isFloat ? `a ${order} b || a != a` : `a ${order} b`} ? a : b;`;
  const instruction = isFloat ? minMaxInstruction(unit, op, element, form.lanes) : undefined;
  if (instruction !== undefined) return `return ${instruction};`;
  const condition = isFloat ? `(a ${order} b) | (a != a)` : `a ${order} b`;
  return `return ${selectByOwnMask(unit, dtype, form, condition, 'a', 'b')};`;
}

function absBody(unit: Unit, dtype: DType, form: Form, element: string): string {
  if (dtypeKind(dtype) === 'float') {
    if (form.lanes === 1) return `return ${floatFunction('fabs', element)}(a);`;
    const bits = elementType(unit, intElement(computeBytes(dtype, form)), form.lanes);
    const mask = element === 'f64' ? 'INT64_MAX' : 'INT32_MAX';
    return `return (${computeType(unit, dtype, form)})((${bits})a & ${mask});`;
  }
  if (form.lanes === 1) return `return (${storageType(dtype)})(a < 0 ? -a : a);`;
  return `return ${selectByOwnMask(unit, dtype, form, 'a < 0', '-a', 'a')};`;
}

/** A selection by a comparison of values of the same width. */
function selectByOwnMask(
  unit: Unit,
  dtype: DType,
  form: Form,
  condition: string,
  then: string,
  otherwise: string,
): string {
  const mask = elementType(unit, intElement(computeBytes(dtype, form)), form.lanes);
  const type = computeType(unit, dtype, form);
  const instruction = selectInstruction(
    unit,
    computeElement(dtype, form),
    form.lanes,
    `(${condition})`,
    `(${then})`,
    `(${otherwise})`,
  );
  if (instruction !== undefined) return instruction;
  return `(${type})(((${mask})(${then}) & (${mask})(${condition})) | ((${mask})(${otherwise}) & ~(${mask})(${condition})))`;
}

function scalarIntegerBody(op: string, dtype: DType): string {
  const type = storageType(dtype);
  const unsigned = type.replace(/^int/, 'uint');
  const count = `(b & ${8 * computeBytes(dtype, scalarForm) - 1})`;
  switch (op) {
    case 'div':
      return `return b == 0 ? 0 : ${dtype === 'u8' ? 'a / b' : `b == -1 ? (${type})-a : (${type})(a / b)`};`;
    case 'rem':
      return `return b == 0${dtype === 'u8' ? '' : ' || b == -1'} ? 0 : (${type})(a % b);`;
    case 'shl':
      return `return (${type})((${unsigned})a << ${count});`;
    case 'shr':
      return `return (${type})(a >> ${count});`;
    case 'ushr':
      return `return (${type})((${unsigned})a >> ${count});`;
    default:
      throw new Error(`scalar ${op} is not defined for ${dtype}`);
  }
}

function vectorIntegerBody(unit: Unit, op: string, dtype: DType, form: Form): string {
  const type = computeType(unit, dtype, form);
  const bytes = computeBytes(dtype, form);
  const mask = elementType(unit, intElement(bytes), form.lanes);
  const unsigned = elementType(unit, uintElement(bytes), form.lanes);
  const count = `(b & ${8 * bytes - 1})`;
  const isSigned = dtype !== 'u8';
  switch (op) {
    case 'div': {
      // Division traps on 0 and on the lowest number by -1, so these lanes divide by 1.
      const odd = isSigned ? '(b == 0) | (b == -1)' : 'b == 0';
      const safe = `const ${mask} zero = (${mask})(b == 0), odd = (${mask})(${odd});\n  const ${type} q = a / (${type})(((${mask})b & ~odd) | (odd & 1));`;
      const negated = isSigned ? `((${mask})-a & (${mask})(b == -1)) | ((${mask})q & ~odd)` : `(${mask})q & ~zero`;
      return `${safe}\n  return (${type})((${negated}) & ~zero);`;
    }
    case 'rem':
      return `const ${mask} odd = (${mask})(${isSigned ? '(b == 0) | (b == -1)' : 'b == 0'});\n  return (${type})((${mask})(a % (${type})(((${mask})b & ~odd) | (odd & 1))) & ~odd);`;
    case 'shl':
      return `return (${type})((${unsigned})a << (${unsigned})${count});`;
    case 'shr':
      return `return a >> ${count};`;
    case 'ushr':
      return `return (${type})((${unsigned})a >> (${unsigned})${count});`;
    default:
      throw new Error(`scalar ${op} is not defined for ${dtype}`);
  }
}

/** `condition ? then : otherwise`; the condition is a bool in the same form. */
export function selectText(
  unit: Unit,
  dtype: DType,
  form: Form,
  condition: string,
  then: string,
  otherwise: string,
): string {
  if (form.lanes === 1) return `(${condition} ? ${then} : ${otherwise})`;
  if (dtype === 'bool') return `((${then} & ${condition}) | (${otherwise} & ~${condition}))`;
  const element = computeElement(dtype, form);
  const name = unit.define(`select_${suffix(element, form.lanes)}`, () => {
    const type = computeType(unit, dtype, form);
    const bytes = computeBytes(dtype, form);
    const own = elementType(unit, intElement(bytes), form.lanes);
    const mask = resizedMask(unit, 'm', form.maskBytes, bytes, form.lanes);
    return functionText(
      type,
      `select_${suffix(element, form.lanes)}`,
      `${maskType(unit, form)} m, ${type} a, ${type} b`,
      `const ${own} own = ${mask};\n  return ${selectInstruction(unit, element, form.lanes, 'own', 'a', 'b') ?? `(${type})(((${own})a & own) | ((${own})b & ~own))`};`,
    );
  });
  return `${name}(${condition}, ${then}, ${otherwise})`;
}

/** A value in all lanes. */
export function splatText(unit: Unit, dtype: DType, form: Form, value: string): string {
  if (form.lanes === 1) return value;
  const element = computeElement(dtype, form);
  const single = dtype === 'bool' ? 'int' : elementType(unit, element, 1);
  const name = unit.define(`splat_${dtype === 'bool' ? 'bool' : ''}${suffix(element, form.lanes)}`, () => {
    const type = computeType(unit, dtype, form);
    const start = dtype === 'bool' ? '-x' : 'x';
    const lanes = Array.from({ length: form.lanes }, () => start).join(', ');
    return functionText(
      type,
      `splat_${dtype === 'bool' ? 'bool' : ''}${suffix(element, form.lanes)}`,
      `${single} x`,
      `return (${type}){${lanes}};`,
    );
  });
  return `${name}(${value})`;
}

/** The bits of a value as another dtype of its width. */
export function bitcastText(unit: Unit, from: DType, to: DType, form: Form, value: string): string {
  if (form.lanes > 1) return `(${computeType(unit, to, form)})${value}`;
  const [a, b] = [storageType(from), storageType(to)];
  const name = unit.define(`bits_${from}_${to}`, () =>
    functionText(b, `bits_${from}_${to}`, `${a} a`, `${b} b;\n  __builtin_memcpy(&b, &a, sizeof b);\n  return b;`),
  );
  return `${name}(${value})`;
}

/** A value converted between numbers of different dtypes, none of them a narrow float. */
export function castText(unit: Unit, from: DType, to: DType, form: Form, value: string): string {
  const isVector = form.lanes > 1;
  if (to === 'bool')
    return comparisonText(unit, 'ne', from, form, value, isVector || dtypeKind(from) !== 'float' ? '0' : '0.0f');
  if (from === 'bool') {
    if (!isVector) return `(${storageType(to)})${value}`;
    return convertVector(unit, intElement(form.maskBytes), computeElement(to, form), form.lanes, `(${value} & 1)`);
  }
  if (dtypeKind(from) === 'float' && dtypeKind(to) === 'int') return `${saturating(unit, from, to, form)}(${value})`;
  return isVector
    ? convertVector(unit, computeElement(from, form), computeElement(to, form), form.lanes, value)
    : `(${storageType(to)})${value}`;
}

/** Float to integer: truncates; what is out of range goes to the nearest end, NaN to 0. */
function saturating(unit: Unit, from: DType, to: DType, form: Form): string {
  const name = `cast_${suffix(from, form.lanes)}_${to}`;
  return unit.define(name, () => {
    const source = computeType(unit, from, form);
    const target = computeType(unit, to, form);
    const { min, max } = intRange(to);
    const isDouble = from === 'f64';
    const low = floatText(Number(min), isDouble);
    // 2^n - 1 may not be a float: then everything from 2^n on is the largest integer.
    const limit = floatText(Number(max + 1n), isDouble);
    if (form.lanes === 1) {
      const body = `return a != a ? 0 : a >= ${limit} ? ${literalText(max, to)} : a < ${low} ? ${literalText(min, to)} : (${target})a;`;
      return functionText(target, name, `${source} a`, body);
    }
    const mask = maskType(unit, form);
    const bytes = computeBytes(from, form);
    const as = (condition: string): string => resizedMask(unit, `(${condition})`, bytes, form.maskBytes, form.lanes);
    const choose = (dtype: DType, condition: string, then: string, otherwise: string): string =>
      selectText(unit, dtype, form, condition, then, otherwise);
    const body = [
      `const ${mask} isNumber = ${as('a == a')}, isHigh = ${as(`a >= ${limit}`)}, isLow = ${as(`a < ${low}`)};`,
      `const ${source} inside = ${choose(from, 'isNumber & ~isHigh & ~isLow', 'a', splatText(unit, from, form, floatText(0, isDouble)))};`,
      `const ${target} high = ${choose(to, 'isHigh', splatText(unit, to, form, literalText(max, to)), `__builtin_convertvector(inside, ${target})`)};`,
      `return ${choose(to, 'isLow', splatText(unit, to, form, literalText(min, to)), 'high')};`,
    ];
    return functionText(target, name, `${source} a`, body.join('\n  '));
  });
}
