// What the vector extensions of C lack, by machine: rounding, square root, fused multiply-add, ordered minimum and maximum, and loads
// and stores of part of a vector. Where a machine has no instruction, the lanes are taken one by one.

import type { Machine } from '../kernel/machine.js';
import { narrowHalves, widenHalves } from './convert.js';
import { elementType } from './types.js';
import type { Unit } from './unit.js';

const isX86 = (machine: Machine): boolean => machine.name === 'avx512' || machine.name === 'avx2';

interface X86Vector {
  /** `_mm512`, `_mm256` or `_mm` */
  readonly prefix: string;
  readonly type: string;
  /** `ps` or `pd` */
  readonly suffix: string;
}

/** The intrinsic type of a float vector, undefined where there is none of that size. */
function x86Vector(unit: Unit, element: string, lanes: number): X86Vector | undefined {
  if (!isX86(unit.machine)) return undefined;
  const bytes = (element === 'f64' ? 8 : 4) * lanes;
  const sizes: Readonly<Record<number, readonly [string, string]>> = {
    16: ['_mm', '__m128'],
    32: ['_mm256', '__m256'],
    64: ['_mm512', '__m512'],
  };
  const [prefix, base] = sizes[bytes] ?? [];
  if (prefix === undefined || base === undefined) return undefined;
  return { prefix, type: element === 'f64' ? `${base}d` : base, suffix: element === 'f64' ? 'pd' : 'ps' };
}

const roundingModes: Readonly<Record<string, string>> = {
  round: '_MM_FROUND_TO_NEAREST_INT',
  floor: '_MM_FROUND_TO_NEG_INF',
  ceil: '_MM_FROUND_TO_POS_INF',
  trunc: '_MM_FROUND_TO_ZERO',
};

const neonNames: Readonly<Record<string, string>> = {
  round: 'vrndnq',
  floor: 'vrndmq',
  ceil: 'vrndpq',
  trunc: 'vrndq',
  sqrt: 'vsqrtq',
};

/** An expression for a function of one or more float vectors by a single instruction, undefined where the machine has none. */
export function floatInstruction(
  unit: Unit,
  op: string,
  element: string,
  lanes: number,
  args: readonly string[],
): string | undefined {
  const vector = elementType(unit, element, lanes);
  const x86 = x86Vector(unit, element, lanes);
  if (x86 !== undefined) {
    const { prefix, type, suffix } = x86;
    const operands = args.map((arg) => `(${type})${arg}`);
    const mode = roundingModes[op];
    if (op === 'sqrt') return `(${vector})${prefix}_sqrt_${suffix}(${operands[0]})`;
    if (op === 'fma') return `(${vector})${prefix}_fmadd_${suffix}(${operands.join(', ')})`;
    if (mode !== undefined) {
      const name = prefix === '_mm512' ? `${prefix}_roundscale_${suffix}` : `${prefix}_round_${suffix}`;
      return `(${vector})${name}(${operands[0]}, ${mode} | _MM_FROUND_NO_EXC)`;
    }
  }
  if (unit.machine.name === 'neon' && (element === 'f64' ? 8 : 4) * lanes === 16) {
    const type = element === 'f64' ? 'float64x2_t' : 'float32x4_t';
    const suffix = element === 'f64' ? 'f64' : 'f32';
    const operands = args.map((arg) => `(${type})${arg}`);
    const name = neonNames[op];
    if (op === 'fma') return `(${vector})vfmaq_${suffix}(${operands[2]}, ${operands[0]}, ${operands[1]})`;
    if (name !== undefined) return `(${vector})${name}_${suffix}(${operands[0]})`;
  }
  return undefined;
}

/** `mask ? then : otherwise` in every lane by a single instruction, undefined where the machine has none for vectors of that size. */
export function selectInstruction(
  unit: Unit,
  element: string,
  lanes: number,
  mask: string,
  then: string,
  otherwise: string,
): string | undefined {
  const bytes = (Number(element.slice(1)) / 8) * lanes;
  if (unit.machine.name !== 'avx2' || (bytes !== 16 && bytes !== 32)) return undefined;
  const float = x86Vector(unit, element, lanes);
  const prefix = bytes === 16 ? '_mm' : '_mm256';
  const type = element.startsWith('f') && float !== undefined ? float.type : bytes === 16 ? '__m128i' : '__m256i';
  const suffix = element.startsWith('f') && float !== undefined ? float.suffix : 'epi8';
  const vector = elementType(unit, element, lanes);
  return `(${vector})${prefix}_blendv_${suffix}((${type})${otherwise}, (${type})${then}, (${type})${mask})`;
}

/**
 * The smaller or larger of two float vectors, a where a is NaN: the instructions of x86 give b where either is NaN, so that only NaN in a
 * needs care.
 */
export function minMaxInstruction(unit: Unit, op: 'min' | 'max', element: string, lanes: number): string | undefined {
  const x86 = x86Vector(unit, element, lanes);
  if (x86 === undefined) return undefined;
  const { prefix, type, suffix } = x86;
  const vector = elementType(unit, element, lanes);
  if (unit.machine.name === 'avx2')
    return `(${vector})${prefix}_blendv_${suffix}(${prefix}_${op}_${suffix}((${type})a, (${type})b), (${type})a, ${prefix}_cmp_${suffix}((${type})a, (${type})a, _CMP_UNORD_Q))`;
  return `(${vector})${prefix}_mask_mov_${suffix}(${prefix}_${op}_${suffix}((${type})a, (${type})b), ${prefix}_cmp_${suffix}_mask((${type})a, (${type})a, _CMP_UNORD_Q), (${type})a)`;
}

/** An expression for the high words of unsigned products. Vectors of x86 multiply every other word, the others are moved beside them. */
function highProductInstruction(unit: Unit, lanes: number, [a, b]: readonly string[]): string | undefined {
  if (lanes === 1) return `(int32_t)(((uint64_t)(uint32_t)${a} * (uint32_t)${b}) >> 32)`;
  const x86 = x86Vector(unit, 'f32', lanes);
  if (x86 === undefined) return undefined;
  const { prefix } = x86;
  const type = `${x86.type}i`;
  const [x, y] = [`(${type})${a}`, `(${type})${b}`];
  const odd = (value: string): string => `${prefix}_srli_epi64(${value}, 32)`;
  const product = (left: string, right: string): string => `${prefix}_mul_epu32(${left}, ${right})`;
  const [low, high] = [odd(product(x, y)), product(odd(x), odd(y))];
  const joined =
    prefix === '_mm512'
      ? `_mm512_mask_mov_epi32(${low}, 0xaaaa, ${high})`
      : `${prefix}_blend_epi32(${low}, ${high}, 0xaa)`;
  return `(${elementType(unit, 'i32', lanes)})${joined}`;
}

/**
 * An expression for a step of scalar functions (compiler/scalar/steps.ts) by instructions, undefined where the machine has none. The
 * minimum and maximum of x86 give the second operand where either is NaN.
 */
export function stepInstruction(unit: Unit, name: string, lanes: number, args: readonly string[]): string | undefined {
  if (name === 'high_product') return highProductInstruction(unit, lanes, args);
  const patterns = name === 'round_f16' ? narrowHalves(unit, lanes, args[0] as string) : undefined;
  if (patterns !== undefined) return widenHalves(unit, lanes, patterns);
  const [, step, element] = /^(clamp|scale)_(f32|f64)$/.exec(name) ?? [];
  const x86 = element && x86Vector(unit, element, lanes);
  if (!x86) return undefined;
  const { prefix, type, suffix } = x86;
  const vector = elementType(unit, element, lanes);
  const [x, y, z] = args.map((arg) => `(${type})${arg}`);
  if (step === 'clamp') return `(${vector})${prefix}_min_${suffix}(${z}, ${prefix}_max_${suffix}(${y}, ${x}))`;
  if (step === 'scale' && unit.machine.name === 'avx512') return `(${vector})${prefix}_scalef_${suffix}(${x}, ${y})`;
  return undefined;
}

/** A store of a whole, aligned vector past the caches, undefined where the machine has none. */
export function streamInstruction(unit: Unit, pointer: string, value: string): string | undefined {
  if (!isX86(unit.machine)) return undefined;
  const bits = 8 * unit.machine.vectorBytes;
  return `_mm${bits}_stream_si${bits}((__m${bits}i *)(${pointer}), (__m${bits}i)${value});`;
}

/** Bodies of functions that load (`p`) or store (`p`, `v`) the lanes low ≤ lane < high of a vector; other lanes read as 0 and stay unwritten. */
export function partialAccess(
  unit: Unit,
  element: string,
  lanes: number,
): { readonly load: string; readonly store: string } {
  const bits = Number(element.slice(1));
  const bytes = (bits / 8) * lanes;
  const type = elementType(unit, element, lanes);
  if (unit.machine.name === 'avx512' && (bytes === 16 || bytes === 32 || bytes === 64)) {
    const prefix = { 16: '_mm', 32: '_mm256', 64: '_mm512' }[bytes];
    const register = { 16: '__m128i', 32: '__m256i', 64: '__m512i' }[bytes];
    const mask = `(__mmask${Math.max(8, lanes)})(((UINT64_C(1) << high) - 1) & -(UINT64_C(1) << low))`;
    return {
      load: `return (${type})${prefix}_maskz_loadu_epi${bits}(${mask}, p);`,
      store: `${prefix}_mask_storeu_epi${bits}(p, ${mask}, (${register})v);`,
    };
  }
  if (unit.machine.name === 'avx2' && (bytes === 16 || bytes === 32) && bits >= 32) {
    const prefix = bytes === 16 ? '_mm' : '_mm256';
    const register = bytes === 16 ? '__m128i' : '__m256i';
    const pointer = bits === 32 ? 'int' : 'long long';
    const signed = elementType(unit, `i${bits}`, lanes);
    const numbers = Array.from({ length: lanes }, (_, lane) => lane).join(', ');
    const limit = (name: string): string => `(int${bits}_t)${name}`;
    const mask = `const ${signed} lane = {${numbers}}, in = (lane >= ${limit('low')}) & (lane < ${limit('high')});`;
    return {
      load: `${mask}\n  return (${type})${prefix}_maskload_epi${bits}((const ${pointer} *)p, (${register})in);`,
      store: `${mask}\n  ${prefix}_maskstore_epi${bits}((${pointer} *)p, (${register})in, (${register})v);`,
    };
  }
  return {
    load: `${type} v = {0};\n  for (int64_t lane = low; lane < high; lane++) v[lane] = p[lane];\n  return v;`,
    store: 'for (int64_t lane = low; lane < high; lane++) p[lane] = v[lane];',
  };
}

/** The headers of GCC that declare what is used here, in their order; they want to be included by immintrin.h alone. */
const GCC_HEADERS = {
  avx2: [
    'x86gprintrin',
    'mmintrin',
    'xmmintrin',
    'emmintrin',
    'pmmintrin',
    'tmmintrin',
    'smmintrin',
    'avxintrin',
    'avx2intrin',
    'fmaintrin',
    'f16cintrin',
  ],
  avx512: [
    'avx512fintrin',
    'avx512vlintrin',
    'avx512bwintrin',
    'avx512dqintrin',
    'avx512vlbwintrin',
    'avx512vldqintrin',
  ],
} as const;

/**
 * The header of a machine's instructions. GCC reads the whole of immintrin.h in longer than it compiles some models, so that it gets only
 * the parts that are used.
 */
export function instructionHeader(machine: Machine): string {
  const keep = keepMacros(machine);
  if (machine.name === 'neon') return `#include <arm_neon.h>\n${keep}`;
  if (!isX86(machine)) return keep;
  const headers = [...GCC_HEADERS.avx2, ...(machine.name === 'avx512' ? GCC_HEADERS.avx512 : [])];
  const lines = headers.map((name) => `#include <${name}.h>\n`).join('');
  const isGcc = 'defined(__GNUC__) && !defined(__clang__) && !defined(__INTEL_COMPILER)';
  return `#if ${isGcc} && !defined(_IMMINTRIN_H_INCLUDED)\n#define _IMMINTRIN_H_INCLUDED\n${lines}#elif !defined(_IMMINTRIN_H_INCLUDED)\n#include <immintrin.h>\n#endif\n${keep}`;
}

/** Registers of x86-64 for integers and addresses, but those of the stack. */
const X86_REGISTERS = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi'];

/**
 * Macros that tell the C compiler what to have in registers: a pointer, a vector, or nothing of what is computed before and used after. They are
 * for products on x86, where instructions read operands from memory at the price of a load, and where there are few registers.
 */
function keepMacros(machine: Machine): string {
  const define = (name: string, text: string): string => `#define ${name} ${text}\n`;
  if (!isX86(machine))
    return (
      define('TDSL_KEEP(pointer)', '(void)0') +
      define('TDSL_KEEP_VECTOR(vector)', '(void)0') +
      define('TDSL_CLEAR_REGISTERS', '(void)0')
    );
  const numbered = (count: number, name: (i: number) => string): string[] =>
    Array.from({ length: count }, (_, i) => name(i));
  const all = [
    ...X86_REGISTERS,
    ...numbered(8, (i) => `r${i + 8}`),
    ...numbered(machine.vectorRegisters, (i) => `xmm${i}`),
  ];
  return (
    define('TDSL_KEEP(pointer)', '__asm__("" : "+r"(pointer))') +
    define('TDSL_KEEP_VECTOR(vector)', `__asm__("" : "+${machine.name === 'avx512' ? 'v' : 'x'}"(vector))`) +
    define('TDSL_CLEAR_REGISTERS', `__asm__ volatile("" : : : ${all.map((name) => `"${name}"`).join(', ')})`)
  );
}
