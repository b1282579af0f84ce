// Tensors, tuples and records as JSON, for the arguments and results of `tdsl run`.

import { type DType, dtypeKind, dtypes } from '../compiler/ir/dtype.js';
import { type HostTensor, hostTensor } from '../compiler/ir/evaluate/tensor.js';
import type { Structure } from '../compiler/program.js';
import { integerProblem } from '../runtime/nested.js';
import { userError } from './errors.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const isRecord = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const special: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/**
 * Reads JSON whose whole numbers may be longer than a double can hold. Such numbers, and those with an exponent, come as the strings of what is
 * written, as many programs write them anyway; `readNumber` reads them exactly where the dtype is one of integers.
 */
export function parseJson(text: string): unknown {
  // The text as it is goes first, so that a mistake in it is told with the place where it is.
  const plain: unknown = JSON.parse(text);
  const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
  let isExact = true;
  const quoted = text.replace(token, (part) => {
    const isPlain = part.startsWith('"') || (part.length <= 15 && !/e/i.test(part));
    isExact &&= isPlain;
    return isPlain ? part : `"${part}"`;
  });
  return isExact ? plain : JSON.parse(quoted);
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i;

/** The whole number that a decimal number is, exactly; undefined where it is none. */
function readWhole(text: string): number | bigint | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = decimal.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/0+$/, '');
  const zeros = Number(exponent) + whole.length - digits.length;
  if (/^0*$/.test(digits)) return 0;
  if (zeros < 0) return undefined;
  // No integer dtype holds so many digits, and a bigint must not grow with what an exponent says.
  return zeros > 400 ? Number(text) : BigInt(`${sign}${digits}${'0'.repeat(zeros)}`);
}

const numberOf = (value: Json | undefined): number | undefined => {
  if (typeof value === 'string') return decimal.test(value) ? Number(value) : special[value];
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : undefined;
};

/** A number of JSON as an element of a dtype; those that are not finite are the strings "nan", "inf", "-inf". */
function readNumber(value: Json | undefined, dtype: DType, where: string): number | bigint {
  const number = numberOf(value);
  if (number === undefined)
    throw userError(`${where}: expected a number, true, false, "nan", "inf" or "-inf", found ${JSON.stringify(value)}`);
  const kind = dtypeKind(dtype);
  if (kind === 'float') return number;
  if (kind === 'bool') {
    if (number === 0 || number === 1) return number;
    throw userError(`${where}: ${value} is no element of bool; give true or false, or 1 or 0`);
  }
  const whole = typeof value === 'string' && decimal.test(value) ? readWhole(value) : number;
  const problem = whole === undefined ? `${value} is not a whole number` : integerProblem(dtype, whole);
  if (whole === undefined || problem !== undefined)
    throw userError(`${where}: ${problem}; give another number, or declare a dtype in the program that holds this one`);
  return whole;
}

/** The elements of nested lists in row-major order, and their shape. */
function flatten(
  value: Json,
  dtype: DType,
  where: string,
): { readonly shape: readonly number[]; readonly data: readonly (number | bigint)[] } {
  if (!Array.isArray(value)) return { shape: [], data: [readNumber(value, dtype, where)] };
  const parts = value.map((item: Json, i) => flatten(item, dtype, `${where}[${i}]`));
  const inner = parts[0]?.shape ?? [];
  const ragged = parts.findIndex(({ shape }) => shape.join() !== inner.join());
  if (ragged >= 0) throw userError(`${where}[${ragged}]: the lists have different lengths`);
  return { shape: [parts.length, ...inner], data: parts.flatMap(({ data }) => data) };
}

const isDType = (value: Json): value is DType => dtypes.some((known) => known === value);

/** A whole number that is not negative: a size. */
function readSize(value: Json | undefined, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw userError(`${where}: expected a whole number that is not negative, found ${JSON.stringify(value)}`);
}

/** A tensor: a scalar, nested lists (both take the declared dtype), or `{"dtype", "shape", "data"}`. */
function readTensor(value: Json | undefined, declared: DType, where: string): HostTensor {
  if (value === undefined) throw userError(`${where} is missing`);
  try {
    if (!isRecord(value)) {
      const { shape, data } = flatten(value, declared, where);
      return hostTensor(declared, shape, data);
    }
    const { dtype = declared, shape, data } = value;
    if (!isDType(dtype)) throw userError(`${where}: ${JSON.stringify(dtype)} is not a dtype`);
    if (!Array.isArray(shape) || !Array.isArray(data)) throw userError(`${where}: expected {"dtype", "shape", "data"}`);
    return hostTensor(
      dtype,
      shape.map((size: Json, i) => readSize(size, `${where}.shape[${i}]`)),
      data.map((item: Json, i) => readNumber(item, dtype, `${where}.data[${i}]`)),
    );
  } catch (error) {
    throw error instanceof RangeError ? userError(`${where}: ${error.message}`) : error;
  }
}

/** The arguments of a call: tensors by their index, and the values of run-time dimensions that are arguments themselves. */
export interface Arguments {
  readonly tensors: HostTensor[];
  readonly dims: Map<string, number>;
}

/** Reads the tensors and numbers of a structure from JSON of the same form. */
export function readStructure(structure: Structure, value: Json | undefined, where: string, into: Arguments): void {
  switch (structure.kind) {
    case 'tensor':
      into.tensors[structure.index] = readTensor(value, structure.type.dtype, where);
      return;
    case 'dim':
      into.dims.set(structure.symbol, readSize(value, where));
      return;
    case 'tuple':
    case 'list':
      if (!Array.isArray(value) || value.length !== structure.items.length) {
        throw userError(`${where}: expected a list of ${structure.items.length}`);
      }
      for (const [i, item] of structure.items.entries()) readStructure(item, value[i] as Json, `${where}[${i}]`, into);
      return;
    case 'record':
      if (value === undefined || !isRecord(value))
        throw userError(`${where}: expected an object with ${structure.fields.map(({ name }) => name).join(', ')}`);
      for (const { name, value: field } of structure.fields)
        readStructure(field, value[name], `${where}.${name}`, into);
  }
}

/** A number as the text of JSON; whole numbers in all their digits. */
function writeNumber(value: number | bigint): string {
  if (typeof value === 'bigint') return String(value);
  if (Number.isNaN(value)) return '"nan"';
  if (Number.isFinite(value)) return JSON.stringify(value);
  return value > 0 ? '"inf"' : '"-inf"';
}

/** Beyond this many numbers the text would be longer than a string can be. */
const mostPrinted = 2 ** 24;

function writeTensor({ dtype, shape, data }: HostTensor): string {
  if (data.length > mostPrinted)
    throw userError(`a result of shape [${shape.join(', ')}] has ${data.length} elements, too many to print`);
  const write = dtype === 'bool' ? (value: number | bigint) => String(value !== 0) : writeNumber;
  const elements = Array.from<number | bigint, string>(data, write);
  return `{"dtype":"${dtype}","shape":${JSON.stringify(shape)},"data":[${elements.join()}]}`;
}

/** A result as JSON of its structure: text, since values of JavaScript that become JSON hold no long integers. */
export function writeStructure(structure: Structure, tensors: readonly HostTensor[]): string {
  const inside = (part: Structure): string => writeStructure(part, tensors);
  switch (structure.kind) {
    case 'tensor':
      return writeTensor(tensors[structure.index] as HostTensor);
    case 'dim':
      throw new Error('a result is made of tensors');
    case 'tuple':
    case 'list':
      return `[${structure.items.map(inside).join()}]`;
    case 'record':
      return `{${structure.fields.map(({ name, value }) => `${JSON.stringify(name)}:${inside(value)}`).join()}}`;
  }
}
