// What a chain is, and how the indices of its stages correspond.
//
// A chain is kernels of which each reads, of what the one before has written, only the rows that it works on itself, such as scores, softmax and
// weighted sum of an attention. They become one kernel, whose iterations run all stages for a block of rows; what passes between them stays in
// memory of the chunk. This is what FlashAttention (Dao et al. 2022) is after, by blocks of rows with whole columns, which a CPU's cache holds.
//
// The stages agree on *shared* indices: some batches and, last, the rows. A pivot, which reduces along rows, has them as its outer loops; in the
// other stages they are the loops along which an operand or result that the pivot has as well moves through memory in the same steps.

import { isProvablyNonNegative } from '../../../compiler/ir/bounds.js';
import { type Dim, dimConst, dimEquals, dimSub, dimSubstitute, dimValue } from '../../../compiler/ir/dims.js';
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
  readonly stages: readonly Stage[];
  /** The stage that reduces along rows. */
  readonly pivot: number;
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
  const isInside =
    range !== undefined &&
    isProvablyNonNegative(range.low) &&
    isProvablyNonNegative(dimSub(dimSub(row, dimConst(1)), range.high));
  return isInside ? (steps as Dim[]) : undefined;
}

const sameSteps = (a: readonly Dim[], b: readonly Dim[]): boolean => a.every((step, k) => dimEquals(step, b[k] as Dim));

/**
 * The loops of a nest that are the shared indices, by what it has in common with the pivot; undefined where there is nothing, or where an access to
 * it leaves its row.
 */
export function sharedLoops(pivot: Nest, nest: Nest): readonly Loop[] | undefined {
  const common = new Map<Value, readonly Dim[]>();
  const own = accessesOf(nest);
  for (const access of accessesOf(pivot)) {
    if (access.value === undefined || !own.some(({ value }) => value === access.value)) continue;
    // Where both only read a value, any part of it may be read.
    const isWritten = [pivot, nest].some(({ stage }) => stage.outputs.includes(access.value as Value));
    if (!isWritten) continue;
    const steps = stepsAlong(pivot, access, pivot.loops);
    const known = common.get(access.value);
    if (steps === undefined || (known !== undefined && !sameSteps(known, steps))) return undefined;
    common.set(access.value, steps);
  }
  let shared: readonly Loop[] | undefined;
  for (const access of own) {
    const steps = access.value && common.get(access.value);
    if (steps === undefined) continue;
    const loops = pivot.loops.map(({ extent }, k) =>
      nest.loops.find((loop) => {
        const step = coefficient(access.offset, loop.index);
        return step !== undefined && dimEquals(step, steps[k] as Dim) && dimEquals(loop.extent, extent);
      }),
    );
    if (loops.includes(undefined) || new Set(loops).size < loops.length) return undefined;
    const found = loops as readonly Loop[];
    if (stepsAlong(nest, access, found) === undefined) return undefined;
    if (shared !== undefined && found.some((loop, k) => loop !== shared?.[k])) return undefined;
    shared = found;
  }
  return shared;
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
export interface Part {
  readonly nest: Nest;
  readonly shared: readonly Loop[];
  readonly lowered: Lowered;
}
