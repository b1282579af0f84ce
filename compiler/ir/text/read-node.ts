// Reads the right-hand side of a statement of the text IR. The form follows from the syntax, so no table of operations is needed.

import { type Dim, dimAdd, dimConst, dimNeg } from '../dims.js';
import type {
  Access,
  Affine,
  Index,
  IndexSpace,
  NodeDraft,
  Region,
  ScatterMode,
  Subscript,
  TensorType,
  Value,
} from '../graph.js';
import { affine, dimsSpace } from '../space.js';
import { fixedInputs, impliedExtent, LookupPositions } from './node.js';
import type { Scanner } from './scanner.js';
import { isValueOf, printNumber } from './words.js';

/** Reads an operand: the value of a name in scope, or of a rank-0 constant. */
export type ReadOperand = () => Value;

/** A node whose result types are still to be read: they follow the operation in the text. */
type Pending = (types: readonly TensorType[]) => NodeDraft;

/** The types after the colon; a node without results has `()`. */
export function readTypes(scanner: Scanner): readonly TensorType[] {
  if (scanner.accept('()')) return [];
  const types: TensorType[] = [];
  do types.push(scanner.type());
  while (scanner.accept(','));
  return types;
}

/** Reads an operation, its attributes and operands, a colon and the types of its results. */
export function readOperation(
  scanner: Scanner,
  operand: ReadOperand,
): { draft: NodeDraft; types: readonly TensorType[] } {
  const at = scanner.position;
  const op = scanner.name('an operation');
  const read = Object.hasOwn(forms, op) ? (forms[op] as Form) : readByShape(op);
  const pending = read(scanner, operand);
  scanner.expect(':', 'and the types of the results');
  const types = readTypes(scanner);
  try {
    return { draft: pending(types), types };
  } catch (error) {
    if (error instanceof Misfit) return scanner.fail(error.message, at);
    throw error;
  }
}

type Form = (scanner: Scanner, operand: ReadOperand) => Pending;

const always =
  (draft: NodeDraft): Pending =>
  () =>
    draft;
const shapeOf = (types: readonly TensorType[]): readonly Dim[] => types[0]?.shape ?? [];
const dtypeOf = (types: readonly TensorType[]) => types[0]?.dtype ?? 'f32';

function readOperands(scanner: Scanner, operand: ReadOperand): readonly Value[] {
  const values = [operand()];
  while (scanner.accept(',')) values.push(operand());
  return values;
}

const readDims = (scanner: Scanner): readonly Dim[] => scanner.list(() => scanner.dim(',]'));

/** Operations with a form of their own, by name. */
const forms: Readonly<Record<string, Form>> = {
  contract: readContract,
  gather: (scanner, operand) => {
    const space = new SpaceReader(scanner);
    const positions = new LookupPositions(fixedInputs('gather'));
    const inputs = [operand()];
    const access = space.access(lookupReader(scanner, operand, positions, inputs));
    return (types) => ({
      kind: 'index',
      indexing: { type: 'gather', space: space.finish(shapeOf(types), []), access },
      inputs,
    });
  },
  scatter: (scanner, operand) => {
    const mode = readMode(scanner);
    const space = new SpaceReader(scanner);
    const base = operand();
    const inputs: Value[] = [base, base];
    const access = space.access(lookupReader(scanner, operand, new LookupPositions(fixedInputs('scatter')), inputs));
    scanner.expect('from', 'and the updates');
    const updates = operand();
    inputs[1] = updates;
    const indexing = { type: 'scatter', mode, space: space.finish(updates.type.shape, []), access } as const;
    return always({ kind: 'index', indexing, inputs });
  },
  reshape: (_, operand) => {
    const inputs = [operand()];
    return (types) => ({ kind: 'view', view: { type: 'reshape', shape: shapeOf(types) }, inputs });
  },
  permute: (scanner, operand) => {
    const inputs = [operand()];
    scanner.expect('by', 'and the permutation');
    return always({ kind: 'view', view: { type: 'permute', permutation: scanner.integers('a dimension') }, inputs });
  },
  broadcast: (scanner, operand) => {
    const inputs = [operand()];
    scanner.expect('at', 'and the dimensions of the result');
    const dims = scanner.integers('a dimension');
    return (types) => ({ kind: 'view', view: { type: 'broadcast', shape: shapeOf(types), dims }, inputs });
  },
  flip: (scanner, operand) => {
    const inputs = [operand()];
    scanner.expect('along', 'and the dimensions');
    return always({ kind: 'view', view: { type: 'flip', dims: scanner.integers('a dimension') }, inputs });
  },
  slice: (scanner, operand) => {
    const inputs = [operand()];
    scanner.expect('from', 'and the start of each dimension');
    const starts = readDims(scanner);
    const steps = scanner.accept('step') ? scanner.integers('a step') : starts.map(() => 1);
    return (types) => ({ kind: 'view', view: { type: 'slice', starts, steps, sizes: shapeOf(types) }, inputs });
  },
  pad: (scanner, operand) => {
    const input = operand();
    scanner.expect('with', 'and the value between and around');
    const inputs = [input, operand()];
    scanner.expect('low');
    const low = readDims(scanner);
    scanner.expect('high');
    const high = readDims(scanner);
    const interior = scanner.accept('interior') ? scanner.integers('a number of elements') : low.map(() => 0);
    return always({ kind: 'assemble', assemble: { type: 'pad', low, high, interior }, inputs });
  },
  concat: (scanner, operand) => {
    const inputs = readOperands(scanner, operand);
    scanner.expect('along', 'and the dimension');
    return always({ kind: 'assemble', assemble: { type: 'concat', dim: scanner.integer('a dimension') }, inputs });
  },
  constant: (scanner) => {
    // The dtype follows after the data. Integers beyond 2^53 read as bigint and become numbers again in other constants.
    const data = scanner.sees('[') ? scanner.list(() => scanner.number('i64')) : [scanner.number('i64')];
    return (types) => {
      const dtype = dtypeOf(types);
      const stranger = data.find((value) => !isValueOf(value, dtype));
      if (stranger !== undefined) throw new Misfit(`${printNumber(stranger)} is not a value of ${dtype}`);
      const values = dtype === 'i64' ? data : data.map(Number);
      return { kind: 'source', source: { type: 'constant', dtype, shape: shapeOf(types), data: values }, inputs: [] };
    };
  },
  iota: (scanner) => {
    scanner.expect('along', 'and the dimension');
    const dim = scanner.integer('a dimension');
    return (types) => ({
      kind: 'source',
      source: { type: 'iota', dtype: dtypeOf(types), shape: shapeOf(types), dim },
      inputs: [],
    });
  },
  size: (scanner) => {
    scanner.expect('{', 'and a dimension');
    const value = scanner.dim('}');
    scanner.expect('}');
    return always({ kind: 'source', source: { type: 'size', value }, inputs: [] });
  },
  random_bits: (_, operand) => {
    const inputs = [operand()];
    return (types) => ({ kind: 'source', source: { type: 'random_bits', shape: shapeOf(types) }, inputs });
  },
  fold_in: (scanner, operand) => {
    const inputs = readOperands(scanner, operand);
    return always({ kind: 'source', source: { type: 'fold_in' }, inputs });
  },
  call: readRegion('call'),
  kernel: readRegion('kernel'),
  checkpoint: readRegion('checkpoint'),
  jvp: readRegion('jvp'),
  vjp: readRegion('vjp'),
  custom_jvp: readCustomJvp,
  vmap: readVmap,
  loop: readLoop,
  if: readIf,
};

/** Operations with a record: the syntax tells reductions, order operations and elementwise ones apart. */
function readByShape(op: string): Form {
  return (scanner, operand) => {
    if (scanner.sees('[')) {
      const space = new SpaceReader(scanner);
      const value = operand();
      const access = space.access();
      const readings = [{ value, access }];
      return (types) => ({
        kind: 'reduce',
        op,
        space: space.finish(shapeOf(types), readings),
        access,
        inputs: [value],
      });
    }
    const inputs = readOperands(scanner, operand);
    if (scanner.sees('over')) {
      if (inputs.length !== 1) scanner.fail(`${op} reduces one operand, got ${inputs.length}`);
      scanner.accept('over');
      const shape = (inputs[0] as Value).type.shape;
      const at = scanner.position;
      const dims = scanner.integers('a dimension');
      if (dims.some((dim) => dim < 0 || dim >= shape.length))
        scanner.fail(`the operand of ${op} has ${shape.length} dimensions`, at);
      const [space, access] = dimsSpace(shape, dims);
      return always({ kind: 'reduce', op, space, access, inputs });
    }
    if (scanner.accept('along')) {
      const dim = scanner.integer('a dimension');
      const reverse = scanner.accept('reverse');
      if (!scanner.accept('from')) return always({ kind: 'order', op, dim, reverse, inputs });
      const [start = dimConst(0)] = readDims(scanner);
      return (types) => {
        const places = { start, size: shapeOf(types)[dim] ?? dimConst(0) };
        return { kind: 'order', op, dim, reverse, places, inputs };
      };
    }
    if (op !== 'cast') return always({ kind: 'elementwise', op, inputs });
    return (types) => ({ kind: 'elementwise', op, inputs, dtype: dtypeOf(types) });
  };
}

function readFunctionName(scanner: Scanner): string {
  scanner.expect('@', 'and the name of a function');
  return scanner.name('the name of a function');
}

/** `over [length] times %n while @condition reverse with constants carry carries each xs`: every part may be absent. */
function readLoop(scanner: Scanner, operand: ReadOperand): Pending {
  const fn = readFunctionName(scanner);
  const part = (word: string): readonly Value[] => (scanner.accept(word) ? readOperands(scanner, operand) : []);
  const length = scanner.accept('over') ? scanner.list(() => scanner.dim(']'))[0] : undefined;
  const trips = scanner.accept('times') ? [operand()] : [];
  const condition = scanner.accept('while') ? readFunctionName(scanner) : undefined;
  const reverse = scanner.accept('reverse');
  const constants = part('with');
  const carries = part('carry');
  const xs = part('each');
  const region: Region = {
    type: 'loop',
    fn,
    ...(condition !== undefined && { condition }),
    ...(length !== undefined && { length }),
    counted: trips.length > 0,
    reverse,
    carries: carries.length,
    xs: xs.length,
  };
  return always({ kind: 'region', region, inputs: [...trips, ...constants, ...carries, ...xs] });
}

function readIf(scanner: Scanner, operand: ReadOperand): Pending {
  const condition = operand();
  scanner.expect('then', 'and the function called where the condition is true');
  const fn = readFunctionName(scanner);
  scanner.expect('else', 'and the function called where it is false');
  const otherwise = readFunctionName(scanner);
  const inputs = [condition, ...scanner.list(operand, '(', ')')];
  return always({ kind: 'region', region: { type: 'if', fn, otherwise }, inputs });
}

function readRegion(type: 'call' | 'kernel' | 'checkpoint' | 'jvp' | 'vjp'): Form {
  return (scanner, operand) => {
    const fn = readFunctionName(scanner);
    const inputs = scanner.list(operand, '(', ')');
    if (type !== 'jvp' && type !== 'vjp') return always({ kind: 'region', region: { type, fn }, inputs });
    return always({ kind: 'region', region: { type, fn, ...readDifferentiated(scanner) }, inputs });
  };
}

function readCustomJvp(scanner: Scanner, operand: ReadOperand): Pending {
  const fn = readFunctionName(scanner);
  const inputs = scanner.list(operand, '(', ')');
  scanner.expect('derivative', 'and the function that gives the tangents');
  const derivative = readFunctionName(scanner);
  return always({
    kind: 'region',
    region: { type: 'custom_jvp', fn, derivative, ...readDifferentiated(scanner) },
    inputs,
  });
}

function readVmap(scanner: Scanner, operand: ReadOperand): Pending {
  const fn = readFunctionName(scanner);
  const inputs = scanner.list(operand, '(', ')');
  scanner.expect('over', 'and the parameters that have a value for each set');
  const over = scanner.integers('a parameter');
  scanner.expect('size', 'and the number of sets');
  const at = scanner.position;
  const [size, ...others] = scanner.list(() => scanner.dim(']'));
  if (size === undefined || others.length > 0) return scanner.fail('there is one number of sets', at);
  return always({ kind: 'region', region: { type: 'vmap', fn, over, size }, inputs });
}

/** `wrt [0] of [0]`. */
function readDifferentiated(scanner: Scanner): { readonly wrt: readonly number[]; readonly of: readonly number[] } {
  scanner.expect('wrt', 'and the parameters differentiated');
  const wrt = scanner.integers('a parameter');
  scanner.expect('of', 'and the results differentiated');
  return { wrt, of: scanner.integers('a result') };
}

function readMode(scanner: Scanner): ScatterMode {
  const mode = (['add', 'set', 'max', 'min'] as const).find((word) => scanner.accept(word));
  return mode ?? scanner.expected("'add', 'set', 'max' or 'min'");
}

// ---- index spaces -----------------------------------------------------------------------------------------------------

/** What is wrong with an operation only shows when the types after it are read. */
class Misfit extends Error {}

type ReadLookup = (space: SpaceReader) => Subscript;

/** Reads `[b, o] over k < 5:` at once, then accesses; extents that are not written are known once all operands are. */
class SpaceReader {
  readonly #indices: { readonly name: string; readonly extent: Dim | undefined }[] = [];
  readonly #outer: number;

  constructor(readonly scanner: Scanner) {
    scanner.list(() => this.#index(',]'));
    this.#outer = this.#indices.length;
    if (scanner.accept('over')) {
      do this.#index(',:');
      while (scanner.accept(','));
    }
    scanner.expect(':', 'and the operands');
  }

  #index(stops: string): void {
    const at = this.scanner.position;
    const name = this.scanner.name('the name of an index');
    if (this.#indices.some((index) => index.name === name)) this.scanner.fail(`the index ${name} occurs twice`, at);
    const extent = this.scanner.accept('<') ? this.scanner.dim(stops) : undefined;
    this.#indices.push({ name, extent });
  }

  /** The subscripts of one operand. */
  access(lookup?: ReadLookup): Access {
    return this.scanner.list(() => this.#subscript(lookup));
  }

  #subscript(lookup: ReadLookup | undefined): Subscript {
    const { scanner } = this;
    if (
      lookup !== undefined &&
      (scanner.sees('%') || /^[a-z]+\d+\(/.test(scanner.text.slice(scanner.position, scanner.position + 5)))
    ) {
      return lookup(this);
    }
    let divisor = 1;
    let expression: Affine;
    if (scanner.accept('(')) {
      expression = this.affine();
      scanner.expect(')');
      scanner.expect('/', 'and the divisor');
      const at = scanner.position;
      divisor = scanner.integer('a divisor');
      if (divisor < 1) scanner.fail('a divisor is at least 1', at);
    } else expression = this.affine();
    return { kind: 'affine', expression, divisor, masked: scanner.accept('?') };
  }

  /** A sum of multiples of indices, integers and dimensions in braces. */
  affine(): Affine {
    const { scanner } = this;
    const terms: { index: number; coefficient: number }[] = [];
    let offset = dimConst(0);
    let sign = scanner.accept('-') ? -1 : 1;
    for (;;) {
      if (scanner.accept('{')) {
        const dim = scanner.dim('}');
        offset = dimAdd(offset, sign < 0 ? dimNeg(dim) : dim);
        scanner.expect('}');
      } else if (/\d/.test(scanner.text[scanner.position] ?? '')) {
        const factor = sign * scanner.integer('a factor');
        if (scanner.accept('*')) terms.push({ index: this.#indexOf(), coefficient: factor });
        else offset = dimAdd(offset, dimConst(factor));
      } else terms.push({ index: this.#indexOf(), coefficient: sign });
      if (scanner.accept('+')) sign = 1;
      else if (scanner.accept('-')) sign = -1;
      else return affine(terms, offset);
    }
  }

  #indexOf(): number {
    const at = this.scanner.position;
    const name = this.scanner.name('an index');
    const index = this.#indices.findIndex((candidate) => candidate.name === name);
    return index >= 0 ? index : this.scanner.fail(`there is no index ${name} here`, at);
  }

  finish(shape: readonly Dim[], readings: Parameters<typeof impliedExtent>[1]): IndexSpace {
    const indices = this.#indices.map(({ name, extent }, i): Index => {
      const known = extent ?? (i < this.#outer ? shape[i] : impliedExtent(i, readings));
      if (known === undefined)
        throw new Misfit(`the extent of ${name} does not follow from an operand: write '${name} < extent'`);
      return { name, extent: known };
    });
    return { indices, outer: this.#outer };
  }
}

function readContract(scanner: Scanner, operand: ReadOperand): Pending {
  const space = new SpaceReader(scanner);
  const inputs: Value[] = [];
  const accesses: Access[] = [];
  do {
    inputs.push(operand());
    accesses.push(space.access());
  } while (scanner.accept('*'));
  const guards: Affine[] = [];
  if (scanner.accept('where')) {
    do {
      guards.push(space.affine());
      scanner.expect('==', 'and 0');
      scanner.expect('0');
    } while (scanner.accept(','));
  }
  const readings = inputs.map((value, i) => ({ value, access: accesses[i] as Access }));
  return (types) => ({ kind: 'contract', space: space.finish(shapeOf(types), readings), accesses, guards, inputs });
}

/** Reads lookups and enters their index tensors among the inputs of the node. */
function lookupReader(scanner: Scanner, operand: ReadOperand, positions: LookupPositions, inputs: Value[]): ReadLookup {
  const read: ReadLookup = (space) => {
    const value = operand();
    const position = scanner.accept('^') ? scanner.integer('a position') : positions.expected(value.name);
    positions.enter(value.name, position);
    inputs[position] = value;
    return { kind: 'lookup', operand: position, subscripts: space.access(read) };
  };
  return read;
}
