// Loads and stores: of one element, of neighbouring elements in all lanes or some, and of elements that lie anywhere.

import type { DType } from '../../compiler/ir/dtype.js';
import { convertVector, narrowHalves, widenHalves } from './convert.js';
import { narrow, patternOf, widen } from './half.js';
import { partialAccess } from './intrinsics.js';
import { castText, functionText } from './operators.js';
import { callText } from './scalar.js';
import {
  computeType,
  elementType,
  type Form,
  intElement,
  maskType,
  memoryVector,
  scalarForm,
  storageType,
  storageVector,
  suffix,
} from './types.js';
import type { Unit } from './unit.js';

const storageElement = (dtype: DType): string =>
  dtype === 'bool' ? 'u8' : dtype === 'f16' || dtype === 'bf16' ? 'u16' : dtype;

/** What was read from memory as a value in registers. */
export function fromStorage(unit: Unit, dtype: DType, form: Form, value: string): string {
  if (dtype === 'bool') return form.lanes === 1 ? `(${value} != 0)` : maskFromBytes(unit, form, value);
  if (dtype !== 'f16' && dtype !== 'bf16') return value;
  const widened = dtype === 'f16' ? widenHalves(unit, form.lanes, value) : undefined;
  if (widened !== undefined) return widened;
  const pattern = form.lanes === 1 ? value : convertVector(unit, 'u16', 'i32', form.lanes, value);
  return callText(unit, widen[dtype], form, [pattern]);
}

const maskFromBytes = (unit: Unit, form: Form, value: string): string =>
  `(${convertVector(unit, 'u8', intElement(form.maskBytes), form.lanes, value)} != 0)`;

/** A value in registers as it is written to memory. */
export function toStorage(unit: Unit, dtype: DType, form: Form, value: string): string {
  const isVector = form.lanes > 1;
  if (dtype === 'bool') {
    if (!isVector) return `(uint8_t)${value}`;
    return convertVector(unit, intElement(form.maskBytes), 'u8', form.lanes, `(${value} & 1)`);
  }
  if (dtype !== 'f16' && dtype !== 'bf16') return value;
  const narrowed = dtype === 'f16' ? narrowHalves(unit, form.lanes, value) : undefined;
  if (narrowed !== undefined) return narrowed;
  const pattern = callText(unit, patternOf[dtype], form, [value]);
  return isVector ? convertVector(unit, 'i32', 'u16', form.lanes, pattern) : `(uint16_t)${pattern}`;
}

/** Neighbouring elements, one in each lane. */
export const loadVector = (unit: Unit, dtype: DType, form: Form, pointer: string): string =>
  fromStorage(unit, dtype, form, rawVector(unit, dtype, form, pointer));

const rawVector = (unit: Unit, dtype: DType, form: Form, pointer: string): string =>
  `(${storageVector(unit, dtype, form.lanes)})*(const ${memoryVector(unit, dtype, form.lanes)} *)(${pointer})`;

export const storeVector = (unit: Unit, dtype: DType, form: Form, pointer: string, value: string): string =>
  `*(${memoryVector(unit, dtype, form.lanes)} *)(${pointer}) = ${toStorage(unit, dtype, form, value)};`;

/** Neighbouring elements in the lanes low ≤ lane < high; the others are 0 and are not read. */
export const loadWindow = (unit: Unit, dtype: DType, form: Form, pointer: string, low: string, high: string): string =>
  fromStorage(unit, dtype, form, rawWindow(unit, dtype, form, pointer, low, high));

function rawWindow(unit: Unit, dtype: DType, form: Form, pointer: string, low: string, high: string): string {
  const element = storageElement(dtype);
  const name = `load_window_${suffix(element, form.lanes)}`;
  unit.define(name, () => {
    const type = storageVector(unit, dtype, form.lanes);
    const { load } = partialAccess(unit, element, form.lanes);
    return functionText(type, name, `const ${storageType(dtype)} *p, int64_t low, int64_t high`, load);
  });
  return `${name}(${pointer}, ${low}, ${high})`;
}

/**
 * Stores the lanes below `count`. A constant number goes without a mask: a load that follows a masked store waits until that is in the cache
 * where it touches bytes that the mask left out, as the next row does where results take the place of what they are made of. Masked stores
 * of AVX2 take as long as many others, too.
 */
export function storePart(unit: Unit, dtype: DType, form: Form, pointer: string, count: string, value: string): string {
  const element = storageElement(dtype);
  if (/^\d+$/.test(count)) return storeFirst(unit, dtype, form, pointer, count, value);
  const name = `store_part_${suffix(element, form.lanes)}`;
  unit.define(name, () => {
    const type = storageVector(unit, dtype, form.lanes);
    const { store } = partialAccess(unit, element, form.lanes);
    const body = `const int64_t low = 0;\n  ${store}`;
    return functionText('void', name, `${storageType(dtype)} *p, ${type} v, int64_t high`, body);
  });
  return `${name}(${pointer}, ${toStorage(unit, dtype, form, value)}, ${count});`;
}

/** Stores a constant number of lanes, in pieces that are powers of two. */
function storeFirst(unit: Unit, dtype: DType, form: Form, pointer: string, count: string, value: string): string {
  const element = storageElement(dtype);
  const name = `store_${count}_of_${suffix(element, form.lanes)}`;
  unit.define(name, () => {
    const pieces: string[] = [];
    for (let at = 0, size = form.lanes; size >= 1; size /= 2) {
      if ((Number(count) & size) === 0) continue;
      const lanes = Array.from({ length: size }, (_, lane) => at + lane).join(', ');
      pieces.push(
        size === 1
          ? `p[${at}] = v[${at}];`
          : `*(${memoryVector(unit, dtype, size)} *)(p + ${at}) = __builtin_shufflevector(v, v, ${lanes});`,
      );
      at += size;
    }
    const type = storageVector(unit, dtype, form.lanes);
    return functionText('void', name, `${storageType(dtype)} *p, ${type} v`, pieces.join('\n  '));
  });
  return `${name}(${pointer}, ${toStorage(unit, dtype, form, value)});`;
}

/** Elements at a run-time distance, in the lanes below `count` (all lanes without it); the others are 0. */
export function loadStrided(
  unit: Unit,
  dtype: DType,
  form: Form,
  pointer: string,
  step: string,
  count = String(form.lanes),
): string {
  const element = storageElement(dtype);
  const name = `load_strided_${suffix(element, form.lanes)}`;
  unit.define(name, () => {
    const type = storageVector(unit, dtype, form.lanes);
    const body = `${type} v = {0};\n  for (int64_t lane = 0; lane < count; lane++) v[lane] = p[lane * step];\n  return v;`;
    return functionText(type, name, `const ${storageType(dtype)} *p, int64_t step, int64_t count`, body);
  });
  return fromStorage(unit, dtype, form, `${name}(${pointer}, ${step}, ${count})`);
}

/**
 * Elements at constant distances from a place: `deltas[l]` in lane l, 0 in lanes where it is undefined. `pointer` gives the address at a
 * distance. Nothing outside of the first and the last of these elements is read.
 */
export function loadPattern(
  unit: Unit,
  dtype: DType,
  form: Form,
  pointer: (delta: number) => string,
  deltas: readonly (number | undefined)[],
): string {
  const { lanes } = form;
  const present = deltas.filter((delta) => delta !== undefined);
  if (present.length === 0) return `(${computeType(unit, dtype, form)}){0}`;
  const low = Math.min(...present);
  const span = Math.max(...present) - low + 1;
  const vector = (delta: number, count: number): string =>
    count >= lanes
      ? rawVector(unit, dtype, form, pointer(delta))
      : rawWindow(unit, dtype, form, pointer(delta), '0', String(count));
  const isInOrder = deltas.every((delta, lane) => (delta === undefined ? lane >= span : delta === low + lane));
  if (isInOrder) return fromStorage(unit, dtype, form, vector(low, span));
  const type = storageVector(unit, dtype, lanes);
  if (span >= 2 * lanes) {
    const elements = deltas.map((delta) => (delta === undefined ? '0' : `*(${pointer(delta)})`));
    return fromStorage(unit, dtype, form, `(${type}){${elements.join(', ')}}`);
  }
  // Two vectors that overlap where the span is shorter than both; lanes without an element take a lane that is 0 or are cleared.
  const first = vector(low, Math.min(span, lanes));
  const second = span > lanes ? vector(low + span - lanes, lanes) : `(${type}){0}`;
  const picks = deltas.map((delta) => {
    if (delta === undefined) return span > lanes ? 0 : lanes;
    return delta - low < lanes ? delta - low : 2 * lanes - (span - (delta - low));
  });
  const shuffled = `__builtin_shufflevector(${first}, ${second}, ${picks.join(', ')})`;
  const isFull = present.length === lanes || span <= lanes;
  return fromStorage(unit, dtype, form, isFull ? shuffled : clearedLanes(unit, dtype, form, shuffled, deltas));
}

/** The vector with 0 in the lanes without an element. */
function clearedLanes(
  unit: Unit,
  dtype: DType,
  form: Form,
  value: string,
  deltas: readonly (number | undefined)[],
): string {
  const type = storageVector(unit, dtype, form.lanes);
  const bits = elementType(unit, intElement(Number(storageElement(dtype).slice(1)) / 8), form.lanes);
  return `(${type})((${bits})${value} & (${bits}){${deltas.map((delta) => (delta === undefined ? 0 : -1)).join(', ')}})`;
}

/** The number of each lane. */
export function laneNumbers(unit: Unit, element: string, lanes: number): string {
  const name = `lanes_${suffix(element, lanes)}`;
  return unit.define(name, () => {
    const type = elementType(unit, element, lanes);
    return `static const ${type} ${name} = {${Array.from({ length: lanes }, (_, lane) => lane).join(', ')}};\n`;
  });
}

/** The mask of the lanes in which `base + step · lane ≥ 0`. */
export function lanesFrom(unit: Unit, form: Form, base: string, step: number): string {
  const element = intElement(form.maskBytes);
  const name = `lanes_from_${suffix(element, form.lanes)}`;
  unit.define(name, () => {
    const type = maskType(unit, form);
    const numbers = laneNumbers(unit, element, form.lanes);
    const single = elementType(unit, element, 1);
    // What is far away is far away: the bound only has to stay within the lanes' integers.
    const body = `const ${single} bound = base > 0x3fffffff ? 0x3fffffff : base < -0x3fffffff ? -0x3fffffff : (${single})base;\n  return (${type})(${numbers} * step + bound >= 0);`;
    return functionText(type, name, `int64_t base, ${single} step`, body);
  });
  return `${name}(${base}, ${step})`;
}

/** The values `base + step · lane` in a dtype. */
export function rampText(unit: Unit, dtype: DType, form: Form, base: string, step: string): string {
  const element = form.maskBytes === 8 ? 'i64' : 'i32';
  const type = elementType(unit, element, form.lanes);
  const single = elementType(unit, element, 1);
  const name = unit.define(`ramp_${suffix(element, form.lanes)}`, () => {
    const numbers = laneNumbers(unit, element, form.lanes);
    return functionText(
      type,
      `ramp_${suffix(element, form.lanes)}`,
      `int64_t base, int64_t step`,
      `return (${single})base + ${numbers} * (${single})step;`,
    );
  });
  const ramp = `${name}(${base}, ${step})`;
  return dtype === element ? ramp : convertInteger(unit, element === 'i64' ? 'i64' : 'i32', dtype, form, ramp);
}

const convertInteger = (unit: Unit, from: DType, to: DType, form: Form, value: string): string =>
  to === 'f16' || to === 'bf16'
    ? callText(unit, widen[to], form, [callText(unit, narrow[to], form, [castText(unit, from, 'f32', form, value)])])
    : castText(unit, from, to, form, value);

/** A mask that is known: whether each lane is in it. */
export const constantMask = (unit: Unit, form: Form, isIn: readonly boolean[]): string =>
  `(${maskType(unit, form)}){${isIn.map((inside) => (inside ? -1 : 0)).join(', ')}}`;

/** A position as a single value of a dtype. */
export const positionValue = (unit: Unit, dtype: DType, text: string): string =>
  dtype === 'i64' ? `(int64_t)(${text})` : convertInteger(unit, 'i64', dtype, scalarForm, `(${text})`);
