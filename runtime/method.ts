// Methods of a session: exported functions as JavaScript calls them, synchronously, asynchronously and bound to fixed tensors.

import type { NativeInstance } from './addon.js';
import { build, checkShapes, type Inputs, readInputs, readOutputs } from './arguments.js';
import type { TypedArray } from './dtype.js';
import { rejectingOurs, TdslError, throwingOurs } from './errors.js';
import type { ManifestEntry, ManifestMethod, Structure } from './manifest.js';
import { allocate } from './memory.js';
import { asyncName } from './session-names.js';
import { elementCount } from './shape.js';
import { Tensor } from './tensor.js';

/** A function that repeats a call on the same tensors. It reads its inputs anew, and writes and returns the same result each time. */
export type BoundMethod<R> = () => R;

/**
 * An exported function. Arguments go by name in one object, or by position in the order of the program. Results are new tensors, also of
 * rank 0; tuples and lists come as arrays, records as objects.
 */
export interface Method<A extends object = object, R = unknown> {
  // The form by name comes last: it is the one that the compiler's messages speak of.
  (...args: A[keyof A][]): R;
  (args: A): R;
  /**
   * Checks a call once and returns a function that repeats it, for hot loops. `out` is what it writes its result to: tensors of the right
   * shape in the result's structure; without it they are made once. The form (training or evaluation) is that of the moment.
   */
  bind(args: A & { readonly out?: R }): BoundMethod<R>;
}

/** The same on another thread. Calls of one session run in the order in which they were made. Inputs must not change until then. */
export interface AsyncMethod<A extends object = object, R = unknown> {
  (...args: A[keyof A][]): Promise<R>;
  (args: A): Promise<R>;
}

/** What a method needs of its session. */
export interface MethodContext {
  readonly instance: NativeInstance;
  readonly entries: readonly ManifestEntry[];
  /** The form that the session asked for; undefined: each function's own. */
  readonly mode: 'train' | 'eval' | undefined;
  /** Tells the session of an asynchronous call. */
  track(call: Promise<unknown>): void;
}

/** A call that was checked in full. */
interface Prepared {
  readonly index: number;
  readonly entry: ManifestEntry;
  readonly inputs: Inputs;
  readonly shapes: readonly (readonly number[])[];
}

/** The shapes of the last call of an entry: calls in a row usually have the same run-time dimensions. */
interface LastShapes {
  index: number;
  symbols: Float64Array;
  shapes: readonly (readonly number[])[];
}

/** What checks the calls of one method. */
type Prepare = (args: readonly unknown[], live: boolean) => Prepared;

function makePrepare(context: MethodContext, method: ManifestMethod): Prepare {
  const { instance, entries } = context;
  let last: LastShapes | undefined;
  const shapesOf = (index: number, symbols: Float64Array): readonly (readonly number[])[] => {
    if (last?.index !== index || last.symbols.some((value, i) => value !== symbols[i])) {
      last = { index, symbols, shapes: throwingOurs(() => instance.shape(index, symbols)) };
    }
    return last.shapes;
  };
  return (args, live) => {
    const index = (context.mode && method.variants?.[context.mode]) ?? method.entry;
    const entry = entries[index]!;
    const inputs = readInputs(method.jsName, entry, args, live);
    const shapes = shapesOf(index, inputs.symbols);
    checkShapes(method.jsName, entry, inputs, shapes);
    return { index, entry, inputs, shapes };
  };
}

/** The result's tensors in native order, and by their index in the entry's list as structures refer to them. */
function makeOutputs(
  { entry, shapes }: Prepared,
  provided?: ReadonlyMap<number, Tensor>,
): { arrays: TypedArray[]; tensors: Tensor[] } {
  const tensors: Tensor[] = [];
  const arrays: TypedArray[] = [];
  entry.tensors.forEach(({ role, dtype }, i) => {
    if (role === 'in') return;
    const shape = shapes[i]!;
    const tensor = provided?.get(i) ?? new Tensor(dtype, [...shape], allocate(dtype, elementCount(shape)));
    tensors[i] = tensor;
    arrays.push(tensor.data);
  });
  return { arrays, tensors };
}

const resultOf = (structure: Structure | null, tensors: readonly Tensor[]): unknown =>
  structure === null ? undefined : build(structure, tensors);

/** The synchronous method, with its `bind`. */
export function makeMethod(context: MethodContext, method: ManifestMethod): Method {
  const prepare = makePrepare(context, method);
  const call = (...args: unknown[]): unknown => {
    const prepared = prepare(args, false);
    const { arrays, tensors } = makeOutputs(prepared);
    const { index, inputs } = prepared;
    throwingOurs(() => context.instance.run(index, inputs.symbols, ...inputs.arrays, ...arrays));
    return resultOf(prepared.entry.result, tensors);
  };
  const bind = (args: object): BoundMethod<unknown> => {
    const entry = context.entries[method.entry]!;
    const { out, ...others }: { out?: unknown } = args;
    const outIsArgument = entry.params.some(({ name }) => name === 'out');
    const prepared = prepare([outIsArgument ? args : others], true);
    const provided =
      out === undefined || outIsArgument ? undefined : readOutputs(method.jsName, prepared.entry, out, prepared.shapes);
    const { arrays, tensors } = makeOutputs(prepared, provided);
    const result = resultOf(prepared.entry.result, tensors);
    const { index, inputs } = prepared;
    const run = context.instance.bind(index, inputs.symbols, ...inputs.arrays, ...arrays);
    return () => {
      throwingOurs(run);
      return result;
    };
  };
  Object.defineProperty(call, 'name', { value: method.jsName });
  return Object.assign(call, { bind: (args: object = {}) => bind(args) });
}

/** The asynchronous method. Wrong arguments reject the promise. */
export function makeAsyncMethod(context: MethodContext, method: ManifestMethod): AsyncMethod {
  const prepare = makePrepare(context, method);
  const call = async (...args: unknown[]): Promise<unknown> => {
    const prepared = prepare(args, false);
    const { arrays, tensors } = makeOutputs(prepared);
    const running = context.instance.runAsync(
      prepared.index,
      prepared.inputs.symbols,
      ...prepared.inputs.arrays,
      ...arrays,
    );
    context.track(running);
    await rejectingOurs(running);
    return resultOf(prepared.entry.result, tensors);
  };
  Object.defineProperty(call, 'name', { value: asyncName(method.jsName) });
  return call;
}

/** Throws where an asynchronous call could be using the state. */
export function requireIdle(instance: NativeInstance, purpose: string): void {
  if (instance.pending > 0) {
    throw new TdslError('TDSL_BUSY', `${purpose}: an asynchronous call is running on this session; await it first`);
  }
}
