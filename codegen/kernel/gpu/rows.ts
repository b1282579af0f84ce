// Finds the passes of a team over a row, and what they read or leave more than once: that stays in the registers of the threads. Each element
// of a row belongs to one thread in all passes.

import {
  type Dim,
  dimConst,
  dimEquals,
  dimExactDiv,
  dimSymbol,
  dimSymbols,
  dimValue,
} from '../../../compiler/ir/dims.js';
import { type DType, dtypeBytes } from '../../../compiler/ir/dtype.js';
import type { Buffer, Loop, Position, Stmt } from '../ir.js';
import { walk } from '../ir.js';
import { stride, substitute, termsOf } from '../positions.js';

/** How a team goes over a row. */
export interface Row {
  /** The number of elements; a run-time one is as large as the rounds allow at most. */
  readonly length: Dim;
  /** The neighbouring elements that a thread takes at once, of which the row is a multiple. */
  readonly width: number;
  /** How many times a thread takes elements in a pass. */
  readonly rounds: number;
  /** Elements that stay in registers between the passes: by their keys the number of the array that they are in. */
  readonly kept: ReadonlyMap<string, number>;
  /** The dtypes of these arrays. */
  readonly arrays: readonly DType[];
  /** Buffers whose elements a thread takes in packs. */
  readonly packed: readonly Buffer[];
  /** Stores of elements that a later pass stores again, and of which only the registers are read until then. */
  readonly skipped: ReadonlySet<Stmt>;
  /** Whether no thread reads an element that another one stores. */
  readonly isPrivate: boolean;
}

/** The number of elements that a pack holds (td_pack). */
const PACK = 4;
/** Registers of 32 bits that a thread has for elements of rows; about as many are left for all else. */
const REGISTERS = 64;
/** The elements of a row of run-time length that each thread has at most: two rows fit the registers. */
export const ROUNDS = 32;

/** What tells elements of a row apart: the same key in two passes is the same element. */
export const rowKey = (buffer: Buffer, offset: Position, index: string): string =>
  `${buffer.name} ${substitute(offset, index, dimSymbol('$row')).key}`;

/** Whether neighbouring elements of a row lie side by side, and begin where packs do. */
export const liesInPacks = (offset: Position, loop: Loop): boolean =>
  stride(offset, loop.index) === 1 &&
  termsOf(substitute(offset, loop.index, 0)).every((term) => dimExactDiv(term, dimConst(PACK)) !== undefined) &&
  !loop.body.some((stmt) => {
    const name = stmt.kind === 'lookup' || stmt.kind === 'define' ? stmt.index : '';
    return dimSymbols(offset).has(name);
  });

const isValue = (stmt: Stmt): boolean => stmt.kind === 'let' || stmt.kind === 'lookup' || stmt.kind === 'define';

/** The loops of a team in order; undefined where one of them is not a plain pass over a row. */
function passesOf(body: readonly Stmt[]): readonly Loop[] | undefined {
  const passes: Loop[] = [];
  for (const stmt of body) {
    if (isValue(stmt) || stmt.kind === 'store' || stmt.kind === 'check') continue;
    const parts = stmt.kind === 'accumulate' ? stmt.body.filter((part) => !isValue(part)) : [stmt];
    const [pass] = parts;
    if (parts.length !== 1 || pass?.kind !== 'for' || pass.mark !== 'team') return undefined;
    if (pass.body.some((part) => 'body' in part)) return undefined;
    passes.push(pass);
  }
  return passes;
}

interface Access {
  readonly pass: number;
  readonly buffer: Buffer;
  readonly offset: Position;
  /** The load or the store. */
  readonly stmt: Stmt;
}

/** The unguarded accesses of the passes to elements of rows, by key. */
function accessesOf(passes: readonly Loop[]): ReadonlyMap<string, readonly Access[]> {
  const accesses = new Map<string, Access[]>();
  const add = (key: string, access: Access): void => {
    accesses.set(key, [...(accesses.get(key) ?? []), access]);
  };
  passes.forEach(({ index, body }, pass) => {
    const own = new Set(body.flatMap((stmt) => (stmt.kind === 'lookup' || stmt.kind === 'define' ? [stmt.index] : [])));
    const isPlain = (offset: Position): boolean => ![...dimSymbols(offset)].some((name) => own.has(name));
    for (const stmt of body) {
      if (stmt.kind === 'store' && isPlain(stmt.offset)) {
        add(rowKey(stmt.buffer, stmt.offset, index), { pass, buffer: stmt.buffer, offset: stmt.offset, stmt });
      } else if (stmt.kind === 'let' && stmt.value.kind === 'load') {
        const { buffer, offset, guards } = stmt.value;
        if (guards.length === 0 && isPlain(offset) && dimSymbols(offset).has(index))
          add(rowKey(buffer, offset, index), { pass, buffer, offset, stmt });
      }
    }
  });
  return accesses;
}

/** How a team goes over the rows of its iteration; undefined where there is no single row. */
export function rowOf(body: readonly Stmt[], team: number): Row | undefined {
  const passes = passesOf(body);
  const [length] = passes?.map(({ extent }) => extent) ?? [];
  if (passes === undefined || length === undefined || passes.some(({ extent }) => !dimEquals(extent, length)))
    return undefined;
  const count = dimValue(length);
  if (count !== undefined && count < team) return undefined;
  const width = count !== undefined && count % PACK === 0 && count >= PACK * team ? PACK : 1;
  const rounds = count === undefined ? ROUNDS : Math.ceil(count / (width * team));
  const accesses = accessesOf(passes);
  const written = new Set(
    passes.flatMap((pass) => pass.body.flatMap((stmt) => (stmt.kind === 'store' ? [stmt.buffer.name] : []))),
  );
  const isPrivate = ownsWhatItReads(body, written, accesses);
  const isPacked = ({ offset, pass }: Access): boolean => liesInPacks(offset, passes[pass] as Loop);
  const mayKeep = (access: Access): boolean =>
    (isPrivate || !written.has(access.buffer.name)) && (width === 1 || isPacked(access));
  const { kept, arrays } = arraysFor(keptOf(accesses, rounds * width, mayKeep), accesses, passes);
  const packed = new Set(
    [...accesses.values()]
      .flat()
      .filter(isPacked)
      .map(({ buffer }) => buffer),
  );
  const skipped = new Set<Stmt>();
  for (const key of kept.keys()) {
    const stores = (accesses.get(key) ?? []).flatMap(({ stmt }) => (stmt.kind === 'store' ? [stmt] : []));
    for (const store of stores.slice(0, -1)) skipped.add(store);
  }
  return { length, width, rounds, kept, arrays, packed: [...packed], skipped, isPrivate };
}

/**
 * The elements that are worth their registers, those of the most passes first. Registers are needed from the pass that fills them to the last one
 * that reads them; in between two passes there must be enough for all.
 */
function keptOf(
  accesses: ReadonlyMap<string, readonly Access[]>,
  elements: number,
  mayKeep: (access: Access) => boolean,
): ReadonlySet<string> {
  const kept = new Set<string>();
  const used: number[] = [];
  const candidates = [...accesses].flatMap(([key, own]) => {
    const [first] = own as [Access, ...Access[]];
    const last = own.findLast(({ stmt }) => stmt.kind === 'let') ?? first;
    if (!mayKeep(first) || last.pass <= first.pass) return [];
    const boundaries = Array.from({ length: last.pass - first.pass }, (_, i) => first.pass + i);
    return [{ key, buffer: first.buffer, boundaries, passes: new Set(own.map(({ pass }) => pass)).size }];
  });
  for (const { key, buffer, boundaries } of candidates.sort((a, b) => b.passes - a.passes)) {
    const needed = elements * (dtypeBytes(buffer.dtype) / 4);
    if (boundaries.some((at) => (used[at] ?? 0) + needed > REGISTERS)) continue;
    for (const at of boundaries) used[at] = (used[at] ?? 0) + needed;
    kept.add(key);
  }
  return kept;
}

/** Arrays for kept elements. One that is written where another one is read for the last time takes its place. */
function arraysFor(
  kept: ReadonlySet<string>,
  accesses: ReadonlyMap<string, readonly Access[]>,
  passes: readonly Loop[],
): { readonly kept: ReadonlyMap<string, number>; readonly arrays: readonly DType[] } {
  const accessesOfKey = (key: string): readonly Access[] => accesses.get(key) as readonly Access[];
  const firstPass = (key: string): number => accessesOfKey(key)[0]?.pass ?? 0;
  /** Whether nothing is done with the elements of `old` any more when those of `next` come. */
  const gives = (old: string, next: string): boolean => {
    const [before, after] = [accessesOfKey(old), accessesOfKey(next)];
    const [end, begin] = [Math.max(...before.map(({ pass }) => pass)), firstPass(next)];
    if (end !== begin) return end < begin;
    const last = before.filter(({ pass }) => pass === end);
    const place = ({ pass, stmt }: Access): number => (passes[pass] as Loop).body.indexOf(stmt);
    const isRead = last.every(({ stmt }) => stmt.kind === 'let') && after[0]?.stmt.kind === 'store';
    return isRead && Math.max(...last.map(place)) < place(after[0] as Access);
  };
  const arrays: { readonly dtype: DType; last: string }[] = [];
  const placed = [...kept]
    .sort((a, b) => firstPass(a) - firstPass(b))
    .map((key): readonly [string, number] => {
      const dtype = accessesOfKey(key)[0]?.buffer.dtype as DType;
      const free = arrays.find((array) => array.dtype === dtype && gives(array.last, key));
      if (free === undefined) arrays.push({ dtype, last: key });
      else free.last = key;
      return [key, free === undefined ? arrays.length - 1 : arrays.indexOf(free)];
    });
  return { kept: new Map(placed), arrays: arrays.map(({ dtype }) => dtype) };
}

/** Whether every element that is read of the buffers that passes write is one that the same thread writes. */
function ownsWhatItReads(
  body: readonly Stmt[],
  written: ReadonlySet<string>,
  accesses: ReadonlyMap<string, readonly Access[]>,
): boolean {
  const groups = [...accesses.values()].filter(([first]) => written.has(first?.buffer.name ?? ''));
  const plain = groups.flat().length;
  const all = [...walk(body)].filter((stmt) => {
    if (stmt.kind === 'store') return written.has(stmt.buffer.name);
    return stmt.kind === 'let' && stmt.value.kind === 'load' && written.has(stmt.value.buffer.name);
  }).length;
  // One group for each buffer: all its elements have the same key.
  return plain === all && groups.length === written.size;
}
