// C types of elements and of vectors of them.
//
// In memory a bool is a byte, and f16 and bf16 are 16-bit patterns. In registers f16 and bf16 are floats that hold a value of the narrow
// type, a scalar bool is an int that is 0 or 1, and a bool in lanes is an integer vector whose lanes are 0 or -1 (a mask) and have the width
// of the widest element of the loop.

import type { DType } from '../../compiler/ir/dtype.js';
import { dtypeBytes } from '../../compiler/ir/dtype.js';
import type { Machine } from '../kernel/machine.js';
import type { Unit } from './unit.js';

/** How values are held: one at a time (`lanes` 1), or in vectors of `lanes` whose masks have lanes of `maskBytes` bytes. */
export interface Form {
  readonly lanes: number;
  readonly maskBytes: number;
}

export const scalarForm: Form = { lanes: 1, maskBytes: 4 };

/** The form of a vector loop in which the widest element has `bytes` bytes. */
export function vectorForm(machine: Machine, bytes: number): Form {
  const maskBytes = Math.max(4, bytes);
  return { lanes: machine.vectorBytes / maskBytes, maskBytes };
}

const elements: Readonly<Record<string, string>> = {
  i8: 'int8_t',
  u8: 'uint8_t',
  i16: 'int16_t',
  u16: 'uint16_t',
  i32: 'int32_t',
  u32: 'uint32_t',
  i64: 'int64_t',
  u64: 'uint64_t',
  f32: 'float',
  f64: 'double',
};

const isNarrowFloat = (dtype: DType): boolean => dtype === 'f16' || dtype === 'bf16';

/** The element of a dtype in memory, as the name of a vector element. */
const storageElement = (dtype: DType): string => (dtype === 'bool' ? 'u8' : isNarrowFloat(dtype) ? 'u16' : dtype);

/** The signed integer element of a width. */
export const intElement = (bytes: number): string => `i${bytes * 8}`;
export const uintElement = (bytes: number): string => `u${bytes * 8}`;

/** The element of a dtype in registers. */
export const computeElement = (dtype: DType, form: Form): string =>
  dtype === 'bool' ? intElement(form.maskBytes) : isNarrowFloat(dtype) ? 'f32' : dtype;

/** The C type of an element in memory. */
export const storageType = (dtype: DType): string => elements[storageElement(dtype)] as string;

/** The C type of a vector of elements, or of one element where `lanes` is 1. */
export function elementType(unit: Unit, element: string, lanes: number): string {
  const base = elements[element] as string;
  if (lanes === 1) return base;
  const bytes = (Number(element.slice(1)) / 8) * lanes;
  return unit.define(`${element}x${lanes}`, () => {
    const name = `${element}x${lanes}`;
    return `typedef ${base} ${name} __attribute__((vector_size(${bytes})));\ntypedef ${base} ${name}_mem __attribute__((vector_size(${bytes}), aligned(${bytes / lanes}), may_alias));`;
  });
}

/** The C type of a value in registers. */
export const computeType = (unit: Unit, dtype: DType, form: Form): string =>
  form.lanes === 1 && dtype === 'bool' ? 'int' : elementType(unit, computeElement(dtype, form), form.lanes);

/** The C type of a vector in memory; its address need be aligned to the element only. */
export function memoryVector(unit: Unit, dtype: DType, lanes: number): string {
  return `${elementType(unit, storageElement(dtype), lanes)}_mem`;
}

/** The vector of a dtype as it lies in memory. */
export const storageVector = (unit: Unit, dtype: DType, lanes: number): string =>
  elementType(unit, storageElement(dtype), lanes);

/** The type of masks of a form. */
export const maskType = (unit: Unit, form: Form): string => elementType(unit, intElement(form.maskBytes), form.lanes);

/** The width of a value in registers. */
export const computeBytes = (dtype: DType, form: Form): number =>
  dtype === 'bool' ? form.maskBytes : isNarrowFloat(dtype) ? 4 : dtypeBytes(dtype);

/** The suffix of helper names: `f32`, `f32x16`. */
export const suffix = (element: string, lanes: number): string => (lanes === 1 ? element : `${element}x${lanes}`);
