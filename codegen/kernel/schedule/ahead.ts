// Asks for memory ahead of its use. What a core fetches on its own initiative stays within a page, and waits while it computes: loops that
// compute much for an element leave memory idle, and loops that begin with a new row wait for it.

import { dimConst, dimEquals } from '../../../compiler/ir/dims.js';
import type { Buffer, Loop, Position, Stmt } from '../ir.js';
import { CACHE_LINE, lanesOf, type Machine } from '../machine.js';
import { coefficient, mentions, stride, substitute } from '../positions.js';
import { statementCost } from './cost.js';
import { widestBytes } from './lanes.js';

/** Instructions of a vector from which on asking costs little beside them; loops that do less are as fast as memory by themselves. */
const WORTH = 8;

/** What a vector loop reads in order: rows of `row` elements that lie one behind another, or one row (0). */
interface Stream {
  readonly loop: Loop;
  readonly buffer: Buffer;
  readonly offset: Position;
  readonly row: Loop['extent'];
}

/** Lets the dearest vector loop over each operand that is read in order ask for what comes later. */
export function fetchAhead(body: readonly Stmt[], machine: Machine): readonly Stmt[] {
  return body.map((stmt) => {
    if (stmt.kind !== 'for' || (stmt.mark !== 'vector' && stmt.mark !== 'parallel')) return stmt;
    const chosen = dearest(streams(stmt, undefined), machine);
    return chosen.length === 0 ? stmt : (withFetches(stmt, chosen, machine) as Loop);
  });
}

/** The streams of vector loops in a statement that contain no loops themselves. */
function streams(stmt: Stmt, around: Loop | undefined): readonly Stream[] {
  if (stmt.kind === 'for' && stmt.mark === 'vector') return isFlat(stmt) ? streamsOf(stmt, around) : [];
  if (stmt.kind === 'for' && stmt.mark !== 'unroll') return stmt.body.flatMap((part) => streams(part, stmt));
  return stmt.kind === 'accumulate' ? stmt.body.flatMap((part) => streams(part, around)) : [];
}

const isFlat = (loop: Loop): boolean => !loop.body.some((stmt) => 'body' in stmt);

function streamsOf(loop: Loop, around: Loop | undefined): readonly Stream[] {
  const defined = loop.body.flatMap((stmt) => (stmt.kind === 'define' || stmt.kind === 'lookup' ? [stmt.index] : []));
  return loop.body.flatMap((stmt) => {
    if (stmt.kind !== 'let' || stmt.value.kind !== 'load') return [];
    const { buffer, offset, guards } = stmt.value;
    const isInOrder = buffer.role === 'in' && guards.length === 0 && stride(offset, loop.index) === 1;
    const isFixed = !defined.some((name) => mentions(offset, name));
    if (!isInOrder || !isFixed) return [];
    if (around === undefined) return [{ loop, buffer, offset, row: dimConst(0) }];
    const step = coefficient(offset, around.index);
    return step !== undefined && dimEquals(step, loop.extent) ? [{ loop, buffer, offset, row: loop.extent }] : [];
  });
}

/** For each part of memory the stream of the dearest loop, where that is worth it. */
function dearest(all: readonly Stream[], machine: Machine): readonly Stream[] {
  const best = new Map<string, { readonly stream: Stream; readonly cost: number }>();
  for (const stream of all) {
    const { loop, buffer, offset } = stream;
    const lanes = lanesOf(machine, widestBytes(loop));
    const cost = loop.body.reduce((sum, stmt) => sum + statementCost(stmt, loop.index, lanes), 0);
    const key = `${buffer.name} ${substitute(offset, loop.index, 0).key}`;
    if (cost >= WORTH && cost > (best.get(key)?.cost ?? 0)) best.set(key, { stream, cost });
  }
  return [...best.values()].map(({ stream }) => stream);
}

/** The statement with what streams ask for at the beginning of their loops, which take a whole line at once. */
function withFetches(stmt: Stmt, chosen: readonly Stream[], machine: Machine): Stmt {
  if (!('body' in stmt)) return stmt;
  const own = chosen.filter(({ loop }) => loop === stmt);
  if (own.length === 0) return { ...stmt, body: stmt.body.map((part) => withFetches(part, chosen, machine)) };
  const loop = stmt as Loop;
  const fetches = own.map(({ buffer, offset, row }): Stmt => ({ kind: 'fetch', buffer, offset, row }));
  const interleave = Math.max(loop.interleave ?? 1, CACHE_LINE / machine.vectorBytes);
  return { ...loop, interleave, body: [...fetches, ...loop.body] };
}
