// Loads and stores: of one element, of neighbouring elements in all lanes or some, and of elements that lie anywhere.

import type { DType } from '../../compiler/ir/dtype.js';
import { narrow, widen } from './half.js';
import { partialAccess } from './intrinsics.js';
import { castText, functionText } from './operators.js';
import { callText } from './scalar.js';
import {
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
  const pattern =
    form.lanes === 1 ? value : `__builtin_convertvector(${value}, ${elementType(unit, 'i32', form.lanes)})`;
  return callText(unit, widen[dtype], form, [pattern]);
}

const maskFromBytes = (unit: Unit, form: Form, value: string): string =>
  `(__builtin_convertvector(${value}, ${maskType(unit, form)}) != 0)`;

/** A value in registers as it is written to memory. */
export function toStorage(unit: Unit, dtype: DType, form: Form, value: string): string {
  const vector = storageVector(unit, dtype, form.lanes);
  if (dtype === 'bool')
    return form.lanes === 1 ? `(uint8_t)${value}` : `__builtin_convertvector(${value} & 1, ${vector})`;
  if (dtype !== 'f16' && dtype !== 'bf16') return value;
  const pattern = callText(unit, narrow[dtype], form, [value]);
  return form.lanes === 1 ? `(uint16_t)${pattern}` : `__builtin_convertvector(${pattern}, ${vector})`;
}

/** Neighbouring elements, one in each lane. */
export const loadVector = (unit: Unit, dtype: DType, form: Form, pointer: string): string =>
  fromStorage(unit, dtype, form, `*(const ${memoryVector(unit, dtype, form.lanes)} *)(${pointer})`);

export const storeVector = (unit: Unit, dtype: DType, form: Form, pointer: string, value: string): string =>
  `*(${memoryVector(unit, dtype, form.lanes)} *)(${pointer}) = ${toStorage(unit, dtype, form, value)};`;

/** Neighbouring elements in the lanes low ≤ lane < high; the others are 0 and are not read. */
export function loadWindow(unit: Unit, dtype: DType, form: Form, pointer: string, low: string, high: string): string {
  const element = storageElement(dtype);
  const name = `load_window_${suffix(element, form.lanes)}`;
  unit.define(name, () => {
    const type = storageVector(unit, dtype, form.lanes);
    const { load } = partialAccess(unit, element, form.lanes);
    return functionText(type, name, `const ${storageType(dtype)} *p, int64_t low, int64_t high`, load);
  });
  return fromStorage(unit, dtype, form, `${name}(${pointer}, ${low}, ${high})`);
}

/** Stores the lanes below `count`. */
export function storePart(unit: Unit, dtype: DType, form: Form, pointer: string, count: string, value: string): string {
  const element = storageElement(dtype);
  const name = `store_part_${suffix(element, form.lanes)}`;
  unit.define(name, () => {
    const type = storageVector(unit, dtype, form.lanes);
    const { store } = partialAccess(unit, element, form.lanes);
    const body = `const int64_t low = 0;\n  ${store}`;
    return functionText('void', name, `${storageType(dtype)} *p, ${type} v, int64_t high`, body);
  });
  return `${name}(${pointer}, ${toStorage(unit, dtype, form, value)}, ${count});`;
}

/** Elements at a constant distance, in the lanes below `count` (all lanes without it); the others are 0. */
export function loadStrided(
  unit: Unit,
  dtype: DType,
  form: Form,
  pointer: string,
  step: string,
  count?: string,
): string {
  const { lanes } = form;
  const element = storageElement(dtype);
  const type = storageVector(unit, dtype, lanes);
  const numbers = Array.from({ length: lanes }, (_, lane) => lane);
  const source = `const ${storageType(dtype)} *p`;
  if (count !== undefined) {
    const name = `load_part_strided_${suffix(element, lanes)}`;
    unit.define(name, () => {
      const body = `${type} v = {0};\n  for (int64_t lane = 0; lane < count; lane++) v[lane] = p[lane * step];\n  return v;`;
      return functionText(type, name, `${source}, int64_t step, int64_t count`, body);
    });
    return fromStorage(unit, dtype, form, `${name}(${pointer}, ${step}, ${count})`);
  }
  const memory = memoryVector(unit, dtype, lanes);
  if (step === '2') {
    const name = unit.define(`load_even_${suffix(element, lanes)}`, () => {
      // The second vector begins one element early, so that nothing behind the last element is read.
      const picks = numbers.map((lane) => (2 * lane < lanes ? 2 * lane : 2 * lane + 1));
      const body = `return __builtin_shufflevector(*(const ${memory} *)p, *(const ${memory} *)(p + ${lanes - 1}), ${picks.join(', ')});`;
      return functionText(type, `load_even_${suffix(element, lanes)}`, source, body);
    });
    return fromStorage(unit, dtype, form, `${name}(${pointer})`);
  }
  if (step === '-1') {
    const name = unit.define(`load_reversed_${suffix(element, lanes)}`, () => {
      const v = `*(const ${memory} *)(p - ${lanes - 1})`;
      const body = `return __builtin_shufflevector(${v}, ${v}, ${numbers.map((lane) => lanes - 1 - lane).join(', ')});`;
      return functionText(type, `load_reversed_${suffix(element, lanes)}`, source, body);
    });
    return fromStorage(unit, dtype, form, `${name}(${pointer})`);
  }
  const name = unit.define(`load_strided_${suffix(element, lanes)}`, () => {
    const body = `return (${type}){${numbers.map((lane) => `p[${lane} * step]`).join(', ')}};`;
    return functionText(type, `load_strided_${suffix(element, lanes)}`, `${source}, int64_t step`, body);
  });
  return fromStorage(unit, dtype, form, `${name}(${pointer}, ${step})`);
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

/** A position as a single value of a dtype. */
export const positionValue = (unit: Unit, dtype: DType, text: string): string =>
  dtype === 'i64' ? `(int64_t)(${text})` : convertInteger(unit, 'i64', dtype, scalarForm, `(${text})`);
