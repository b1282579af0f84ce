// Conversions of the elements of vectors. C has them all, but compilers take some vectors apart that x86 converts in one instruction: GCC 12 widens a
// vector of bytes element by element.

import { elementType } from './types.js';
import type { Unit } from './unit.js';

interface X86Register {
  /** `_mm512`, `_mm256` or `_mm` */
  readonly prefix: string;
  readonly type: string;
}

/** The registers for integers of a machine by their bytes. */
function registers({ machine: { name } }: Unit): ReadonlyMap<number, X86Register> {
  const all: readonly (readonly [number, X86Register])[] = [
    [16, { prefix: '_mm', type: '__m128i' }],
    [32, { prefix: '_mm256', type: '__m256i' }],
    [64, { prefix: '_mm512', type: '__m512i' }],
  ];
  return new Map(name === 'avx512' ? all : name === 'avx2' ? all.slice(0, 2) : []);
}

const bitsOf = (element: string): number => Number(element.slice(1));
const isFloat = (element: string): boolean => element.startsWith('f');

/** The vector with its elements converted as C converts numbers; elements are named `u8`, `f32`, … */
export function convertVector(unit: Unit, from: string, to: string, lanes: number, value: string): string {
  if (from === to) return value;
  const plain = `__builtin_convertvector(${value}, ${elementType(unit, to, lanes)})`;
  if (isFloat(from)) return (isFloat(to) && doubles(unit, from, to, lanes, value)) || plain;
  if (!isFloat(to)) return resized(unit, from, to, lanes, value) ?? plain;
  // Integers of less than 32 bits become floats by way of those of 32.
  return bitsOf(from) < 32
    ? convertVector(unit, 'i32', to, lanes, convertVector(unit, from, 'i32', lanes, value))
    : plain;
}

/** f32 as f64, undefined where there is no instruction. */
function doubles(unit: Unit, from: string, to: string, lanes: number, value: string): string | undefined {
  const target = registers(unit).get(8 * lanes);
  if (from !== 'f32' || to !== 'f64' || target === undefined || lanes < 4) return undefined;
  return `(${elementType(unit, to, lanes)})${target.prefix}_cvtps_pd((${lanes === 4 ? '__m128' : '__m256'})${value})`;
}

/** Integers of another width, undefined where there is no instruction. */
function resized(unit: Unit, from: string, to: string, lanes: number, value: string): string | undefined {
  const [narrow, wide] = [bitsOf(from), bitsOf(to)];
  const type = elementType(unit, to, lanes);
  const known = registers(unit);
  if (narrow === wide) return `(${type})${value}`;
  if (narrow < wide) {
    const target = known.get((wide / 8) * lanes);
    const source = inRegister(known, (narrow / 8) * lanes, value);
    if (target === undefined || source === undefined) return undefined;
    return `(${type})${target.prefix}_cvtep${from.startsWith('u') ? 'u' : 'i'}${narrow}_epi${wide}(${source})`;
  }
  const source = unit.machine.name === 'avx512' ? known.get((narrow / 8) * lanes) : undefined;
  if (source === undefined) return undefined;
  const all = `${source.prefix}_cvtepi${narrow}_epi${wide}((${source.type})${value})`;
  const bytes = (wide / 8) * lanes;
  if (bytes >= 16) return `(${type})${all}`;
  return bytes === 8 || bytes === 4 ? `(${type})_mm_cvtsi128_si${8 * bytes}(${all})` : undefined;
}

/** A vector of so many bytes in the low part of a register, undefined where it is smaller than any integer that can be moved there. */
function inRegister(known: ReadonlyMap<number, X86Register>, bytes: number, value: string): string | undefined {
  const own = known.get(bytes);
  if (own !== undefined) return `(${own.type})${value}`;
  return bytes === 8 || bytes === 4 ? `_mm_cvtsi${8 * bytes}_si128((int${8 * bytes}_t)${value})` : undefined;
}

/** The registers of the f32 and of the f16 that one instruction converts. */
function halfRegisters(unit: Unit, lanes: number): readonly [wide: X86Register, narrow: X86Register] | undefined {
  const known = registers(unit);
  const [wide, narrow] = [known.get(4 * lanes), known.get(2 * lanes)];
  return wide && narrow && [wide, narrow];
}

/** Patterns of f16 (u16) as f32, undefined where there is no instruction. */
export function widenHalves(unit: Unit, lanes: number, value: string): string | undefined {
  const [wide, narrow] = halfRegisters(unit, lanes) ?? [];
  return wide && `(${elementType(unit, 'f32', lanes)})${wide.prefix}_cvtph_ps((${narrow?.type})${value})`;
}

/** Values of f32 as the nearest patterns of f16 (u16), ties to even, undefined where there is no instruction. */
export function narrowHalves(unit: Unit, lanes: number, value: string): string | undefined {
  const [wide] = halfRegisters(unit, lanes) ?? [];
  if (wide === undefined) return undefined;
  const source = `(${wide.type.replace('i', '')})${value}`;
  return `(${elementType(unit, 'u16', lanes)})${wide.prefix}_cvtps_ph(${source}, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)`;
}
