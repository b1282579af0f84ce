// What a chain is, and how the indices of its stages correspond.
//
// A chain is kernels of which each reads, of what the one before has written, only the rows that it works on itself, such as scores, softmax and
// weighted sum of an attention. They become one kernel, whose iterations run all stages for a block of rows; what passes between them stays in
// memory of the chunk. This is what FlashAttention (Dao et al. 2022) is after, by blocks of rows with whole columns, which a CPU's cache holds.
//
// The stages agree on *shared* indices: some batches and, last, the rows. A pivot, which reduces along rows, has them as its outer loops; in the
// other stages they are the loops along which operands or results that they have in common move through memory in the same steps. A stage may
// also sum over the rows, as the gradients by keys and values of an attention do: each block adds to its result, which is of the batch.

import { isProvablyNonNegative } from '../../../compiler/ir/bounds.js';
import {
  type Dim,
  dimConst,
  dimEquals,
  dimExactDiv,
  dimSub,
  dimSubstitute,
  dimValue,
} from '../../../compiler/ir/dims.js';
import type { Func, Value } from '../../../compiler/ir/graph.js';
import { type Buffer, type Kernel, type Loop, type Position, type Stmt, walk } from '../ir.js';
import type { Lowered } from '../lower/kernel.js';
import { bounds, coefficient, mentions } from '../positions.js';
import { mapPositions } from '../schedule/rewrite.js';

/** A kernel function with the values of its caller. */
export interface Stage {
  readonly fn: Func;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** The values of the function's run-time dimensions. */
  readonly symbols: ReadonlyMap<string, Dim>;
}

/** A function that runs stages; its parameters and results are values of the caller. */
export interface Chain extends Func {
  /** `shared`: which loops of a stage are the shared indices, as numbers of `candidateLoops`. */
  readonly stages: readonly (Stage & { readonly shared: readonly number[] })[];
}

export const isChain = (fn: Func): fn is Chain => 'stages' in fn;

/** Elements of an operand that every block may read again. */
const SMALL = 1024;

/** A lowered stage: its outer loops, and what is inside of all of them. */
export interface Nest {
  readonly stage: Stage;
  readonly kernel: Kernel;
  readonly loops: readonly Loop[];
  readonly content: readonly Stmt[];
}

/** The outer loops of a lowered stage, its run-time dimensions replaced by those of the caller; undefined where it is no single nest. */
export function nestOf(stage: Stage, kernel: Kernel): Nest | undefined {
  const loops: Loop[] = [];
  const values: Stmt[] = [];
  let body = kernel.body.map((stmt) => mapPositions(stmt, (p) => dimSubstitute(p, stage.symbols)));
  for (;;) {
    const others = body.filter(({ kind }) => kind !== 'let');
    const [only] = others;
    if (others.length !== 1 || only?.kind !== 'for' || only.mark !== 'parallel') break;
    values.push(...body.filter((stmt) => stmt !== only));
    loops.push(only);
    body = [...only.body];
  }
  const isPlain = [...walk(body)].every(({ kind }) => kind !== 'sort' && kind !== 'registers');
  return loops.length > 0 && isPlain ? { stage, kernel, loops, content: [...values, ...body] } : undefined;
}

interface Access {
  readonly value: Value | undefined;
  readonly buffer: Buffer;
  readonly offset: Position;
}

/** The value of the caller that a buffer of a stage is. */
export function valueIn({ inputs, outputs }: Stage, { role, name }: Buffer): Value | undefined {
  const list = role === 'in' ? inputs : role === 'out' ? outputs : [];
  return list[Number(name.replace(/^\D+/, ''))];
}

export function accessesOf({ stage, content }: Nest): readonly Access[] {
  const access = (buffer: Buffer, offset: Position): Access => ({ value: valueIn(stage, buffer), buffer, offset });
  return [...walk(content)].flatMap((stmt) => {
    if (stmt.kind === 'store') return [access(stmt.buffer, stmt.offset)];
    return stmt.kind === 'let' && stmt.value.kind === 'load' ? [access(stmt.value.buffer, stmt.value.offset)] : [];
  });
}

/** The steps of shared indices through a value; undefined where an access leaves its row. */
export function stepsAlong(nest: Nest, { offset }: Access, shared: readonly Loop[]): readonly Dim[] | undefined {
  const steps = shared.map(({ index }) => coefficient(offset, index));
  const row = steps.at(-1);
  if (row === undefined || steps.some((step) => step === undefined || step.terms.length === 0)) return undefined;
  const rest = dimSubstitute(offset, new Map(shared.map(({ index }) => [index, dimConst(0)])));
  const inner = [...nest.loops, ...walk(nest.content)].filter((stmt) => stmt.kind === 'for');
  const range = bounds(rest, new Map(inner.map(({ index, extent }) => [index, extent])));
  const isBelow = (step: Dim): boolean =>
    range !== undefined && isProvablyNonNegative(dimSub(dimSub(step, dimConst(1)), range.high));
  // A batch may lie inside of a row, as heads beside each other: what belongs to another one is of another row.
  const isOutside = (step: Dim): boolean => dimExactDiv(step, row) !== undefined;
  const isInside =
    range !== undefined &&
    isProvablyNonNegative(range.low) &&
    isBelow(row) &&
    (steps as readonly Dim[]).every((step) => isOutside(step) || isBelow(step));
  return isInside ? (steps as Dim[]) : undefined;
}

const sameSteps = (a: readonly Dim[], b: readonly Dim[]): boolean => a.every((step, k) => dimEquals(step, b[k] as Dim));

/** A nest, and which of its loops are the shared indices. */
export interface Placed {
  readonly nest: Nest;
  readonly shared: readonly Loop[];
}

/** The steps of the shared indices through what stages have in common with a nest; undefined where an access to what one of them writes leaves its row. */
function commonSteps(stages: readonly Placed[], nest: Nest): ReadonlyMap<Value, readonly Dim[]> | undefined {
  const common = new Map<Value, readonly Dim[]>();
  const own = new Set(accessesOf(nest).map(({ value }) => value));
  for (const { nest: other, shared } of stages) {
    for (const access of accessesOf(other)) {
      if (access.value === undefined || !own.has(access.value)) continue;
      const steps = stepsAlong(other, access, shared);
      const known = common.get(access.value);
      if (steps !== undefined && (known === undefined || sameSteps(known, steps))) common.set(access.value, steps);
      else if (writes(other, access.value) || writes(nest, access.value)) return undefined;
    }
  }
  return common;
}

const writes = ({ stage }: Nest, value: Value): boolean => stage.outputs.includes(value);

/** Those of `candidates` that move through common values as the shared indices do; undefined where there are none, or where an access leaves its row. */
function matchingLoops(
  shared: readonly Loop[],
  nest: Nest,
  common: ReadonlyMap<Value, readonly Dim[]>,
  candidates: readonly Loop[],
): readonly Loop[] | undefined {
  let matching: readonly Loop[] | undefined;
  for (const access of accessesOf(nest)) {
    const steps = access.value && common.get(access.value);
    if (steps === undefined) continue;
    const loops = shared.map(({ extent }, k) =>
      candidates.find((loop) => {
        const step = coefficient(access.offset, loop.index);
        return step !== undefined && dimEquals(step, steps[k] as Dim) && dimEquals(loop.extent, extent);
      }),
    );
    if (loops.includes(undefined) || new Set(loops).size < loops.length) return undefined;
    const found = loops as readonly Loop[];
    if (stepsAlong(nest, access, found) === undefined) return undefined;
    if (matching !== undefined && found.some((loop, k) => loop !== matching?.[k])) return undefined;
    matching = found;
  }
  return matching;
}

/** The loops of a nest that are the shared indices of stages, by what it has in common with them and one of them or it writes. */
export function sharedLoops(stages: readonly Placed[], nest: Nest): readonly Loop[] | undefined {
  const isWritten = (value: Value): boolean => writes(nest, value) || stages.some((stage) => writes(stage.nest, value));
  const common = [...(commonSteps(stages, nest) ?? [])].filter(([value]) => isWritten(value));
  return matchingLoops((stages[0] as Placed).shared, nest, new Map(common), nest.loops);
}

/** The loops of a nest that are the shared indices of stages, of which the last, the rows, is one that it sums over. */
export function summedLoops(stages: readonly Placed[], nest: Nest): readonly Loop[] | undefined {
  const common = commonSteps(stages, nest) ?? new Map();
  const shared = matchingLoops((stages[0] as Placed).shared, nest, common, candidateLoops(nest));
  const isOuter = shared?.map((loop) => nest.loops.includes(loop));
  // Where a batch has one sum alone, no loop is left around it.
  if (shared === undefined || nest.loops.length < shared.length) return undefined;
  return isOuter?.at(-1) === false && isOuter.slice(0, -1).every(Boolean) ? shared : undefined;
}

/** The loops that may be shared indices. */
const candidateLoops = (nest: Nest): readonly Loop[] => [...nest.loops, ...loopsOfSum(nest)];

/** Which of the candidates some loops are; the same of every lowering of a stage. */
export const sharedPlaces = (nest: Nest, shared: readonly Loop[]): readonly number[] =>
  shared.map((loop) => candidateLoops(nest).indexOf(loop));

/** The candidates at some places. */
export const loopsAt = (nest: Nest, places: readonly number[]): readonly Loop[] =>
  places.map((place) => candidateLoops(nest)[place] as Loop);

/** The loops of the sum that a nest stores; none where it does anything else. */
function loopsOfSum({ content }: Nest): readonly Loop[] {
  const [sum, store, ...others] = content.filter(({ kind }) => kind !== 'let');
  const isPlain = sum?.kind === 'accumulate' && sum.fold.absorbsZero === true && others.length === 0;
  if (!isPlain || store?.kind !== 'store' || store.value.name !== sum.results[0]?.name) return [];
  return [...walk(sum.body)].filter((stmt) => stmt.kind === 'for');
}

/** Whether all that a block of rows reads beside its rows belongs to its batch, so that blocks of other batches do not read it again. */
export function staysInBatch(nest: Nest, shared: readonly Loop[]): boolean {
  return accessesOf(nest).every(
    ({ buffer, offset }) =>
      shared.some(({ index }) => mentions(offset, index)) ||
      (dimValue(buffer.size) ?? Number.POSITIVE_INFINITY) <= SMALL,
  );
}

/** A stage as part of a chain. */
export interface Part extends Placed {
  readonly lowered: Lowered;
}

/** Whether a stage sums over the rows. */
export const sumsRows = ({ nest, shared }: Placed): boolean => !nest.loops.includes(shared.at(-1) as Loop);

/** The statements of a chain: what it defines, and the loops of its stages. */
export const chainStatements = (body: readonly Stmt[]): readonly Stmt[] =>
  body.flatMap((stmt) => (stmt.kind === 'for' && stmt.mark === 'chain' ? chainStatements(stmt.body) : [stmt]));
