// From what a caller passes to what native code takes: arguments by name or by position are flattened along their structure, every tensor
// is checked against its signature, and the run-time dimensions follow from the shapes. Nothing here touches native code.

import type { NativeArray } from './addon.js';
import { DeviceTensor } from './device.js';
import { type DataOf, DTYPES, type DType } from './dtype.js';
import { TdslError } from './errors.js';
import type { Fitting } from './fit.js';
import type { ManifestEntry, ManifestTensor, Structure } from './manifest.js';
import type { Nested } from './nested.js';
import { formatShape, type Shape } from './shape.js';
import { Tensor } from './tensor.js';

/**
 * What a method takes for a tensor: a tensor, whose type need not say its whole shape; nested lists of numbers; or a typed array of the dtype's
 * own class, whose shape follows where no more than one of its dimensions is open. `Tensor<D, S>` is among what fits: it is written for the
 * messages of TypeScript, which compare a wrong tensor with it.
 */
export type TensorInput<D extends DType = DType, S extends Shape = Shape> =
  | Tensor<D, S>
  | Fitting<D, S>
  | DataOf<D>
  | Nested;

/** The inputs of one call, in native order. */
export interface Inputs {
  readonly arrays: NativeArray[];
  /** Of each input; undefined for a flat typed array whose dimensions are expressions, which native code evaluates. */
  readonly shapes: (readonly number[] | undefined)[];
  /** The values of the entry's symbols. */
  readonly symbols: Float64Array;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Tensor) &&
  !(value instanceof DeviceTensor) &&
  !Array.isArray(value) &&
  !ArrayBuffer.isView(value);

/** A signature as text: `f32[B, 784]`. */
export const formatSignature = ({ dtype, dims }: Pick<ManifestTensor, 'dtype' | 'dims'>): string =>
  `${dtype}${formatShape(dims)}`;

/** `trainStep: argument x`, or `trainStep: argument out` of an output. */
const place = (method: string, { path, role }: ManifestTensor): string =>
  `${method}: ${role === 'in' ? 'argument' : 'output'} ${path}`;

/** The values of a call's parameters in order; the call is one object by name, or positional. */
export function parametersOf(method: string, entry: ManifestEntry, args: readonly unknown[]): unknown[] {
  const names = entry.params.map(({ name }) => name);
  const takes = names.length === 0 ? 'takes no arguments' : `takes ${names.join(', ')}`;
  const [first] = args;
  const takesObject = names.length === 1 && entry.params[0]!.structure.kind === 'record';
  if (args.length === 1 && isObject(first) && (!takesObject || Object.hasOwn(first, names[0]!))) {
    for (const name of Object.keys(first)) {
      if (names.includes(name)) continue;
      // Methods have JavaScript's spelling, arguments that of the program.
      const asWritten = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const hint = names.includes(asWritten) ? `: it is called ${asWritten}, as in the program` : '';
      throw new TdslError('TDSL_ARG', `${method} ${takes}; there is no argument ${name}${hint}`);
    }
    return names.map((name) => {
      if (first[name] === undefined) throw new TdslError('TDSL_ARG', `${method} ${takes}; ${name} is missing`);
      return first[name];
    });
  }
  if (args.length !== names.length) throw new TdslError('TDSL_ARG', `${method} ${takes}; ${args.length} given`);
  return [...args];
}

/** Walks a value along its structure and calls `leaf` for each tensor and dimension in it. */
function walk(
  structure: Structure,
  value: unknown,
  path: string,
  leaf: (structure: Structure & { kind: 'tensor' | 'dim' }, value: unknown, path: string) => void,
): void {
  switch (structure.kind) {
    case 'tensor':
    case 'dim':
      leaf(structure, value, path);
      return;
    case 'tuple':
    case 'list':
      if (!Array.isArray(value) || value.length !== structure.items.length) {
        const found = Array.isArray(value) ? `a list of ${value.length}` : describeValue(value);
        throw new TdslError('TDSL_ARG', `${path}: expected a list of ${structure.items.length}, found ${found}`);
      }
      structure.items.forEach((item, i) => {
        walk(item, value[i], `${path}.${i}`, leaf);
      });
      return;
    case 'record':
      if (!isObject(value)) {
        throw new TdslError('TDSL_ARG', `${path}: expected an object, found ${describeValue(value)}`);
      }
      for (const name of Object.keys(value)) {
        if (!Object.hasOwn(structure.fields, name))
          throw new TdslError('TDSL_ARG', `${path}: there is no field ${name}`);
      }
      for (const [name, field] of Object.entries(structure.fields)) walk(field, value[name], `${path}.${name}`, leaf);
  }
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Tensor) return `${value.dtype}${formatShape(value.shape)}`;
  if (value instanceof DeviceTensor) return `${value.dtype}${formatShape(value.shape)} on a GPU`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** One input as given: its elements, and its shape where it has one. */
interface Given {
  readonly data: NativeArray;
  readonly shape: readonly number[] | undefined;
}

function readTensor(where: string, spec: ManifestTensor, value: unknown, live: boolean): Given {
  const expected = formatSignature(spec);
  const refuse = (found: string, cause?: unknown): TdslError =>
    new TdslError('TDSL_ARG', `${where}: expected ${expected}, found ${found}`, { cause });
  if (value instanceof Tensor) {
    if (value.dtype !== spec.dtype) throw refuse(describeValue(value));
    return { data: value.data, shape: value.shape };
  }
  if (value instanceof DeviceTensor) {
    if (value.dtype !== spec.dtype) throw refuse(describeValue(value));
    return { data: value.memory, shape: value.shape };
  }
  if (ArrayBuffer.isView(value)) {
    const { array } = DTYPES[spec.dtype];
    if (!(value instanceof array)) throw refuse(`a ${value.constructor.name}; a ${array.name} holds ${spec.dtype}`);
    return { data: value, shape: undefined };
  }
  if (live) throw refuse(`${describeValue(value)}; a bound call takes tensors and typed arrays, to see later changes`);
  if (!Array.isArray(value) && !['number', 'bigint', 'boolean'].includes(typeof value))
    throw refuse(describeValue(value));
  try {
    const { data, shape } = Tensor.from(value as Nested, { dtype: spec.dtype });
    return { data, shape };
  } catch (error) {
    throw refuse(`${describeValue(value)}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

/** Why the program needs sizes to be equal that some dimensions stand for; they may be written with these names or as formulas of them. */
function reasonsFor({ equalities = [] }: ManifestEntry, dims: readonly (number | string)[]): string {
  const names = dims.flatMap((dim) => String(dim).match(/[A-Za-z_]\w*/g) ?? []);
  const reasons = equalities.filter(({ symbols }) => symbols.some((symbol) => names.includes(symbol)));
  return reasons.map(({ text }) => `; ${text}`).join('');
}

/** The symbols of one call while they are being found. */
class Symbols {
  private readonly values: (number | undefined)[];
  private readonly origins: string[] = [];

  constructor(
    private readonly method: string,
    private readonly entry: ManifestEntry,
  ) {
    this.values = entry.symbols.map(() => undefined);
  }

  indexOf(dim: number | string): number {
    return typeof dim === 'string' ? this.entry.symbols.findIndex(({ name }) => name === dim) : -1;
  }

  get(index: number): number | undefined {
    return this.values[index];
  }

  /** Gives a symbol its value, and checks that all places agree on it. */
  set(index: number, value: number, origin: string): void {
    const { name, min, max } = this.entry.symbols[index]!;
    const known = this.values[index];
    if (known === undefined) {
      if (value < min || (max !== null && value > max)) {
        const range = max === null ? `at least ${min}` : `from ${min} to ${max}`;
        throw new TdslError('TDSL_SHAPE', `${this.method}: ${origin} gives ${name} = ${value}, which must be ${range}`);
      }
      this.values[index] = value;
      this.origins[index] = origin;
    } else if (known !== value) {
      throw new TdslError(
        'TDSL_SHAPE',
        `${this.method}: ${name} is ${known} in ${this.origins[index]}, but ${value} in ${origin}${reasonsFor(this.entry, [name])}`,
      );
    }
  }

  finish(): Float64Array {
    const found = new Float64Array(this.values.length);
    for (const [i, value] of this.values.entries()) {
      if (value === undefined) {
        const { name } = this.entry.symbols[i]!;
        const reason = `${name} does not follow from typed arrays alone; pass a Tensor`;
        throw new TdslError('TDSL_SHAPE', `${this.method}: ${reason}`);
      }
      found[i] = value;
    }
    return found;
  }
}

/** Checks a shape against fixed and named dimensions and binds the names; expressions are left to native code. */
function bindShape(method: string, spec: ManifestTensor, shape: readonly number[], symbols: Symbols): void {
  const found = `expected ${formatSignature(spec)}, found ${spec.dtype}${formatShape(shape)}`;
  if (shape.length !== spec.dims.length) throw new TdslError('TDSL_SHAPE', `${place(method, spec)}: ${found}`);
  spec.dims.forEach((dim, i) => {
    const index = symbols.indexOf(dim);
    if (index >= 0) symbols.set(index, shape[i]!, `argument ${spec.path}`);
    else if (typeof dim === 'number' && dim !== shape[i]) {
      throw new TdslError('TDSL_SHAPE', `${place(method, spec)}: ${found}: dimension ${i} is ${shape[i]}, not ${dim}`);
    }
  });
}

/** The shape of a flat typed array, where no more than one dimension is open; undefined where that is not so (yet). */
function shapeOfFlat(method: string, spec: ManifestTensor, length: number, symbols: Symbols): number[] | undefined {
  const sizes = spec.dims.map((dim) => (typeof dim === 'number' ? dim : symbols.get(symbols.indexOf(dim))));
  const open = new Set(spec.dims.filter((_, i) => sizes[i] === undefined));
  const known = sizes.reduce<number>((product, size) => product * (size ?? 1), 1);
  if (open.size === 0) return sizes as number[];
  const [name] = open;
  const occurrences = spec.dims.filter((dim) => dim === name).length;
  if (open.size > 1 || occurrences > 1 || known === 0 || symbols.indexOf(name!) < 0) return undefined;
  if (length % known !== 0) {
    throw new TdslError(
      'TDSL_SHAPE',
      `${place(method, spec)}: expected ${formatSignature(spec)}, found ${length} elements, which ${known} does not divide`,
    );
  }
  return sizes.map((size) => size ?? length / known);
}

/**
 * Flattens and checks the arguments of a call. With `live`, lists of numbers are refused, because a bound call reads its inputs again
 * and again from where they are.
 */
export function readInputs(method: string, entry: ManifestEntry, args: readonly unknown[], live = false): Inputs {
  const symbols = new Symbols(method, entry);
  const specs = entry.tensors.filter(({ role }) => role === 'in');
  const given = new Array<Given>(specs.length);
  parametersOf(method, entry, args).forEach((value, i) => {
    const { name, structure } = entry.params[i]!;
    walk(structure, value, `${method}: argument ${name}`, (leaf, part, where) => {
      if (leaf.kind === 'tensor') {
        given[leaf.index] = readTensor(where, specs[leaf.index]!, part, live);
      } else if (typeof part === 'number' && Number.isSafeInteger(part)) {
        symbols.set(leaf.symbol, part, `argument ${name}`);
      } else {
        const found = typeof part === 'number' ? String(part) : describeValue(part);
        const beyond = Number.isInteger(part) ? ', which is too large to be exact' : '';
        throw new TdslError('TDSL_ARG', `${where}: expected a whole number, found ${found}${beyond}`);
      }
    });
  });
  const shapes = given.map(({ shape }) => shape);
  given.forEach(({ shape }, i) => {
    if (shape) bindShape(method, specs[i]!, shape, symbols);
  });
  // Each flat array may settle a symbol that another one waits for.
  for (let progress = true; progress; ) {
    progress = false;
    for (const [i, { data }] of given.entries()) {
      if (shapes[i] || !ArrayBuffer.isView(data)) continue;
      const shape = shapeOfFlat(method, specs[i]!, data.length, symbols);
      if (!shape) continue;
      shapes[i] = shape;
      bindShape(method, specs[i]!, shape, symbols);
      progress = true;
    }
  }
  return { arrays: given.map(({ data }) => data), shapes, symbols: symbols.finish() };
}

/** Checks the inputs against the shapes that native code computed from the symbols: derived dimensions, and lengths of flat arrays. */
export function checkShapes(
  method: string,
  entry: ManifestEntry,
  inputs: Inputs,
  shapes: readonly (readonly number[])[],
): void {
  inputs.arrays.forEach((array, i) => {
    const expected = shapes[i]!;
    const found = inputs.shapes[i];
    const spec = entry.tensors[i]!;
    if (found?.some((size, d) => size !== expected[d])) {
      const meaning = `${formatSignature(spec)}, which is ${formatShape(expected)} here`;
      throw new TdslError(
        'TDSL_SHAPE',
        `${place(method, spec)}: expected ${meaning}, found ${formatShape(found)}${reasonsFor(entry, spec.dims)}`,
      );
    }
    const count = expected.reduce((product, size) => product * size, 1);
    // Memory of a GPU has the size of its tensor's shape, which was compared.
    if (ArrayBuffer.isView(array) && array.length !== count) {
      const reason = array.length === 0 ? '; its buffer may be detached' : '';
      throw new TdslError(
        'TDSL_SHAPE',
        `${place(method, spec)}: expected ${count} elements (${formatShape(expected)}), found ${array.length}${reason}`,
      );
    }
  });
}

/** Builds the value of a structure from its flat tensors. */
export function build(structure: Structure, tensors: readonly Tensor[]): unknown {
  switch (structure.kind) {
    case 'tensor':
      return tensors[structure.index];
    case 'dim':
      throw new TdslError('TDSL_INTERNAL', 'a result holds a bare dimension');
    case 'tuple':
    case 'list':
      return structure.items.map((item) => build(item, tensors));
    case 'record':
      return Object.fromEntries(Object.entries(structure.fields).map(([name, field]) => [name, build(field, tensors)]));
  }
}

/** Reads the tensors of a result that the caller provides, by their index in the entry's list; they must be tensors of the right dtype and shape. */
export function readOutputs(
  method: string,
  entry: ManifestEntry,
  value: unknown,
  shapes: readonly (readonly number[])[],
): Map<number, Tensor> {
  const outputs = new Map<number, Tensor>();
  if (entry.result === null) throw new TdslError('TDSL_ARG', `${method} returns nothing, so that it takes no out`);
  walk(entry.result, value, `${method}: out`, (leaf, part, where) => {
    if (leaf.kind !== 'tensor') return;
    const { dtype } = entry.tensors[leaf.index]!;
    const shape = shapes[leaf.index]!;
    if (!(part instanceof Tensor) || part.dtype !== dtype || formatShape(part.shape) !== formatShape(shape)) {
      const found = describeValue(part);
      throw new TdslError('TDSL_SHAPE', `${where}: expected a tensor ${dtype}${formatShape(shape)}, found ${found}`);
    }
    outputs.set(leaf.index, part);
  });
  return outputs;
}
