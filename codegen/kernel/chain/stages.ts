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

interface Access {
  readonly value: Value | undefined;
  readonly buffer: Buffer;
  readonly offset: Position;
}

/** A lowered stage: its outer loops, and what is inside of all of them, with its loads and stores and the loops around any of these. */
export interface Nest {
  readonly stage: Stage;
  readonly kernel: Kernel;
  readonly loops: readonly Loop[];
  readonly content: readonly Stmt[];
  readonly accesses: readonly Access[];
  readonly allLoops: readonly Loop[];
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
  if (loops.length === 0 || !isPlain) return undefined;
  const content = [...values, ...body];
  const inner = [...walk(content)];
  const allLoops = [...loops, ...inner.filter((stmt) => stmt.kind === 'for')];
  return { stage, kernel, loops, content, accesses: accessesOf(stage, inner), allLoops };
}

/** The value of the caller that a buffer of a stage is. */
export function valueIn({ inputs, outputs }: Stage, { role, name }: Buffer): Value | undefined {
  const list = role === 'in' ? inputs : role === 'out' ? outputs : [];
  return list[Number(name.replace(/^\D+/, ''))];
}

function accessesOf(stage: Stage, stmts: readonly Stmt[]): readonly Access[] {
  const access = (buffer: Buffer, offset: Position): Access => ({ value: valueIn(stage, buffer), buffer, offset });
  return stmts.flatMap((stmt) => {
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
  const range = bounds(rest, new Map(nest.allLoops.map(({ index, extent }) => [index, extent])));
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

const writes = ({ stage }: Nest, value: Value): boolean => stage.outputs.includes(value);

/** How the shared indices move through a value in some stages. */
interface Movement {
  readonly steps: readonly Dim[] | undefined;
  /** Whether an access of any of them, and of one that writes the value, moves in another way or leaves its row. */
  readonly isLeft: boolean;
  readonly isLeftByWriter: boolean;
  readonly isWritten: boolean;
}

/** What stages that are found one after another have in common, so that a further one is compared with the values that it accesses alone. */
export class CommonValues {
  readonly #movements = new Map<Value, Movement>();

  constructor(readonly pivot: Placed) {
    this.add(pivot);
  }

  get shared(): readonly Loop[] {
    return this.pivot.shared;
  }

  add({ nest, shared }: Placed): void {
    for (const access of nest.accesses) {
      const { value } = access;
      if (value === undefined) continue;
      const known = this.#movements.get(value);
      const steps = stepsAlong(nest, access, shared);
      const agrees = steps !== undefined && (known?.steps === undefined || sameSteps(known.steps, steps));
      const isWriter = writes(nest, value);
      this.#movements.set(value, {
        steps: agrees ? steps : known?.steps,
        isLeft: known?.isLeft === true || !agrees,
        isLeftByWriter: known?.isLeftByWriter === true || (isWriter && !agrees),
        isWritten: known?.isWritten === true || isWriter,
      });
    }
  }

  /** Whether a stage writes a value. */
  isWritten(value: Value): boolean {
    return this.#movements.get(value)?.isWritten === true;
  }

  /** The steps of the shared indices through what a nest accesses too; undefined where an access to what one of them writes leaves its row. */
  steps(nest: Nest): ReadonlyMap<Value, readonly Dim[]> | undefined {
    const common = new Map<Value, readonly Dim[]>();
    for (const { value } of nest.accesses) {
      const movement = value && this.#movements.get(value);
      if (value === undefined || movement === undefined) continue;
      if (movement.isLeftByWriter || (movement.isLeft && writes(nest, value))) return undefined;
      if (movement.steps !== undefined) common.set(value, movement.steps);
    }
    return common;
  }
}

/** Those of `candidates` that move through common values as the shared indices do; undefined where there are none, or where an access leaves its row. */
function matchingLoops(
  shared: readonly Loop[],
  nest: Nest,
  common: ReadonlyMap<Value, readonly Dim[]>,
  candidates: readonly Loop[],
): readonly Loop[] | undefined {
  let matching: readonly Loop[] | undefined;
  for (const access of nest.accesses) {
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
export function sharedLoops(stages: CommonValues, nest: Nest): readonly Loop[] | undefined {
  const common = [...(stages.steps(nest) ?? [])].filter(([value]) => writes(nest, value) || stages.isWritten(value));
  return matchingLoops(stages.shared, nest, new Map(common), nest.loops);
}

/** The loops of a nest that are the shared indices of stages, of which the last, the rows, is one that it sums over. */
export function summedLoops(stages: CommonValues, nest: Nest): readonly Loop[] | undefined {
  const shared = matchingLoops(stages.shared, nest, stages.steps(nest) ?? new Map(), candidateLoops(nest));
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
  return nest.accesses.every(
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
