// Tensors, tuples and records as JSON, for the arguments and results of `tdsl run`.

import { type DType, dtypes } from '../compiler/ir/dtype.js';
import { type HostTensor, hostTensor, numbersOf } from '../compiler/ir/evaluate/tensor.js';
import type { Structure } from '../compiler/program.js';
import { userError } from './errors.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const isRecord = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const special: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/** A number of JSON; non-finite ones are the strings "nan", "inf", "-inf". */
function readNumber(value: Json | undefined, where: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const known = typeof value === 'string' ? special[value] : undefined;
  if (known === undefined)
    throw userError(`${where}: expected a number, true, false, "nan", "inf" or "-inf", found ${JSON.stringify(value)}`);
  return known;
}

/** The elements of nested lists in row-major order, and their shape. */
function flatten(value: Json, where: string): { readonly shape: readonly number[]; readonly data: readonly number[] } {
  if (!Array.isArray(value)) return { shape: [], data: [readNumber(value, where)] };
  const parts = value.map((item: Json, i) => flatten(item, `${where}[${i}]`));
  const inner = parts[0]?.shape ?? [];
  const ragged = parts.findIndex(({ shape }) => shape.join() !== inner.join());
  if (ragged >= 0) throw userError(`${where}[${ragged}]: the lists have different lengths`);
  return { shape: [parts.length, ...inner], data: parts.flatMap(({ data }) => data) };
}

/** A tensor: a scalar, nested lists (both take the declared dtype), or `{"dtype", "shape", "data"}`. */
function readTensor(value: Json | undefined, declared: DType, where: string): HostTensor {
  if (value === undefined) throw userError(`${where} is missing`);
  try {
    if (!isRecord(value)) {
      const { shape, data } = flatten(value, where);
      return hostTensor(declared, shape, data);
    }
    const { dtype = declared, shape, data } = value;
    if (!dtypes.some((known) => known === dtype)) throw userError(`${where}: ${JSON.stringify(dtype)} is not a dtype`);
    if (!Array.isArray(shape) || !Array.isArray(data)) throw userError(`${where}: expected {"dtype", "shape", "data"}`);
    const sizes = shape.map((size: Json) => readNumber(size, `${where}.shape`));
    return hostTensor(
      dtype as DType,
      sizes,
      data.map((item: Json, i) => readNumber(item, `${where}.data[${i}]`)),
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
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
        throw userError(`${where}: expected a whole number that is not negative, found ${JSON.stringify(value)}`);
      into.dims.set(structure.symbol, value);
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

const writeNumber = (value: number): Json =>
  Number.isNaN(value)
    ? 'nan'
    : value === Number.POSITIVE_INFINITY
      ? 'inf'
      : value === Number.NEGATIVE_INFINITY
        ? '-inf'
        : value;

/** Beyond this many numbers the text would be longer than a string can be. */
const mostPrinted = 2 ** 24;

function writeTensor(tensor: HostTensor): Json {
  if (tensor.data.length > mostPrinted)
    throw userError(
      `a result of shape [${tensor.shape.join(', ')}] has ${tensor.data.length} elements, too many to print`,
    );
  const data = numbersOf(tensor).map((value) => (tensor.dtype === 'bool' ? value !== 0 : writeNumber(value)));
  return { dtype: tensor.dtype, shape: tensor.shape, data };
}

/** A result as JSON of its structure. */
export function writeStructure(structure: Structure, tensors: readonly HostTensor[]): Json {
  switch (structure.kind) {
    case 'tensor':
      return writeTensor(tensors[structure.index] as HostTensor);
    case 'dim':
      throw new Error('a result is made of tensors');
    case 'tuple':
    case 'list':
      return structure.items.map((item) => writeStructure(item, tensors));
    case 'record':
      return Object.fromEntries(structure.fields.map(({ name, value }) => [name, writeStructure(value, tensors)]));
  }
}
