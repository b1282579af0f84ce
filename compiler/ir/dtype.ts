// The element types of tensors and the rules that combine them (promotion follows PyTorch's categories).

export const dtypes = ['bool', 'u8', 'i8', 'i16', 'i32', 'i64', 'f16', 'bf16', 'f32', 'f64'] as const;
export type DType = (typeof dtypes)[number];
export type DTypeKind = 'bool' | 'int' | 'float';

interface DTypeInfo {
  readonly kind: DTypeKind;
  readonly bytes: number;
}

const info: Readonly<Record<DType, DTypeInfo>> = {
  bool: { kind: 'bool', bytes: 1 },
  u8: { kind: 'int', bytes: 1 },
  i8: { kind: 'int', bytes: 1 },
  i16: { kind: 'int', bytes: 2 },
  i32: { kind: 'int', bytes: 4 },
  i64: { kind: 'int', bytes: 8 },
  f16: { kind: 'float', bytes: 2 },
  bf16: { kind: 'float', bytes: 2 },
  f32: { kind: 'float', bytes: 4 },
  f64: { kind: 'float', bytes: 8 },
};

export const isDType = (name: string): name is DType => Object.hasOwn(info, name);
export const dtypeKind = (dtype: DType): DTypeKind => info[dtype].kind;
export const dtypeBytes = (dtype: DType): number => info[dtype].bytes;
export const isFloat = (dtype: DType): boolean => info[dtype].kind === 'float';
export const isInt = (dtype: DType): boolean => info[dtype].kind === 'int';

const kindRank: Readonly<Record<DTypeKind, number>> = { bool: 0, int: 1, float: 2 };

/** Whether values of `a` are of a wider category than values of `b` (bool < int < float). */
export const outranks = (a: DType, b: DType): boolean => kindRank[info[a].kind] > kindRank[info[b].kind];

/** The smallest dtype that both convert to: the wider kind wins; within a kind the wider width (u8 with a signed type of its width goes to i16; f16 with bf16 to f32). */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  if (outranks(a, b)) return a;
  if (outranks(b, a)) return b;
  if ((a === 'f16' && b === 'bf16') || (a === 'bf16' && b === 'f16')) return 'f32';
  if ((a === 'u8' && b === 'i8') || (a === 'i8' && b === 'u8')) return 'i16';
  return info[a].bytes >= info[b].bytes ? a : b;
}

/** The inclusive range of an integer dtype. */
export function intRange(dtype: DType): { min: bigint; max: bigint } {
  const bits = BigInt(info[dtype].bytes * 8);
  if (dtype === 'u8' || dtype === 'bool') return { min: 0n, max: dtype === 'bool' ? 1n : 255n };
  return { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n };
}
