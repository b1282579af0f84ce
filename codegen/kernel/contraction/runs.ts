// Divides an index into panels: pieces that a register tile holds. All panels of a run have the same size, so that each run is one
// piece of code.

import {
  type Dim,
  dimAdd,
  dimConst,
  dimFloorDiv,
  dimMax,
  dimMul,
  dimSub,
  dimSymbol,
  dimValue,
} from '../../../compiler/ir/dims.js';
import type { Guard, Position } from '../ir.js';
import type { Body } from '../lower/body.js';

export const smaller = (a: Dim, b: Dim): Dim => dimSub(dimAdd(a, b), dimMax(a, b));

/** Panels of one size, one after another. */
export interface Run {
  /** What the tile holds: a constant, for a vector index a multiple of the lanes unless the extent is constant. */
  readonly size: number;
  /** What a panel covers: the size, or less where a run-time extent ends inside of a vector. */
  readonly length: Dim;
  readonly count: Dim;
  /** The number of panels, and of elements, before this run. */
  readonly first: Dim;
  readonly start: Dim;
}

export interface Panels {
  readonly runs: readonly Run[];
  readonly count: Dim;
}

interface Piece {
  readonly size: number;
  readonly count: Dim;
  readonly length?: Dim;
}

function panels(pieces: readonly Piece[]): Panels {
  const runs: Run[] = [];
  let first = dimConst(0);
  let start = dimConst(0);
  for (const { size, count, length = dimConst(size) } of pieces) {
    if (dimValue(count) === 0) continue;
    runs.push({ size, length, count, first, start });
    first = dimAdd(first, count);
    start = dimAdd(start, dimMul(count, dimConst(size)));
  }
  return { runs, count: first };
}

/**
 * Panels of at most `size` elements. A constant extent is divided into panels of nearly equal size; of a run-time extent, panels of the full size
 * come first, and powers of four take the rest.
 */
export function rowPanels(extent: Dim, size: number): Panels {
  const known = dimValue(extent);
  if (known !== undefined)
    return panels(balanced(known, size).map(([n, count]) => ({ size: n, count: dimConst(count) })));
  return panels(descending(extent, size, 1, exchangedRows(extent, size)));
}

/**
 * Panels of whole vectors, at most `vectors` of them, and a last panel that covers part of its last vector. With `aligned` every panel
 * begins at a multiple of the largest size; else a constant extent is divided evenly.
 */
export function vectorPanels(extent: Dim, lanes: number, vectors: number, aligned = false): Panels {
  const known = dimValue(extent);
  if (known === undefined) {
    const whole = descending(extent, vectors * lanes, lanes);
    const rest = dimSub(extent, dimMul(dimFloorDiv(extent, dimConst(lanes)), dimConst(lanes)));
    const count = dimFloorDiv(dimAdd(rest, dimConst(lanes - 1)), dimConst(lanes));
    return panels([...whole, ...(lanes === 1 ? [] : [{ size: lanes, count, length: rest }])]);
  }
  const count = Math.ceil(known / lanes);
  const sizes = aligned ? uniform(count, vectors) : balanced(count, vectors);
  const pieces = sizes.map(([n, times]) => ({ size: n * lanes, count: times }));
  const idle = (lanes - (known % lanes)) % lanes;
  const last = pieces.pop();
  if (last !== undefined && idle > 0) {
    pieces.push({ size: last.size, count: last.count - 1 }, { size: last.size - idle, count: 1 });
  } else if (last !== undefined) pieces.push(last);
  return panels(pieces.map(({ size, count }) => ({ size, count: dimConst(count) })));
}

/** The largest size as often as it fits, and the rest. */
function uniform(extent: number, size: number): readonly (readonly [number, number])[] {
  const [count, rest] = [Math.floor(extent / size), extent % size];
  return (
    [
      [size, count],
      [rest, 1],
    ] as const
  ).filter(([n, times]) => n > 0 && times > 0);
}

/** Sizes that differ by at most one, the larger first, and how often they occur. */
function balanced(extent: number, size: number): readonly (readonly [number, number])[] {
  if (extent === 0) return [];
  const count = Math.ceil(extent / size);
  const large = Math.ceil(extent / count);
  const few = count * large - extent;
  return few === 0
    ? [[large, count]]
    : [
        [large, count - few],
        [large - 1, few],
      ];
}

/** As many panels of `size` as fit, one of them left out where `exchanged` says so, then some of each smaller power of four, down to `unit`. */
function descending(extent: Dim, size: number, unit: number, exchanged = dimConst(0)): readonly Piece[] {
  const pieces: Piece[] = [];
  let rest = extent;
  for (let n = size; n >= unit; n = unit * largestPower(n / unit - 1)) {
    const fitting = dimFloorDiv(rest, dimConst(n));
    const count = n === size ? dimSub(fitting, exchanged) : fitting;
    pieces.push({ size: n, count });
    rest = dimSub(rest, dimMul(count, dimConst(n)));
    if (n === unit) break;
  }
  return pieces;
}

/**
 * The remainders of rows, from the first number up to below the second, with which a panel is exchanged for two of the next smaller size: they leave
 * less to single rows. 8 rows by six are taken by fours, not by six and one by one.
 */
function exchangedRemainders(size: number): readonly [number, number] {
  const next = largestPower(size - 1);
  return size === 1 || 2 * next <= size ? [0, 0] : [2 * next - size, next];
}

/** How many panels of rows are exchanged: one or none. */
function exchangedRows(extent: Dim, size: number): Dim {
  const [from, below] = exchangedRemainders(size);
  if (from === below) return dimConst(0);
  const fitting = dimFloorDiv(extent, dimConst(size));
  const rest = dimSub(extent, dimMul(fitting, dimConst(size)));
  const isAtLeast = (least: number): Dim => dimFloorDiv(dimAdd(rest, dimConst(size - least)), dimConst(size));
  return smaller(fitting, dimSub(isAtLeast(from), isAtLeast(below)));
}

/** The sizes of the panels of `rowPanels` where an extent is of this length, and how many there are of each. */
export function rowPieces(length: number, isKnown: boolean, size: number): readonly (readonly [number, number])[] {
  if (isKnown) return balanced(length, size);
  const [from, below] = exchangedRemainders(size);
  const isExchanged = length >= size && length % size >= from && length % size < below;
  return piecesOf(length, size, isExchanged ? 1 : 0);
}

/** The number of panels of `vectorPanels`. */
export function vectorPanelCount(length: number, isKnown: boolean, lanes: number, vectors: number): number {
  if (isKnown) return Math.ceil(length / (lanes * vectors));
  const whole = piecesOf(Math.floor(length / lanes), vectors, 0);
  return whole.reduce((sum, [, count]) => sum + count, length % lanes > 0 ? 1 : 0);
}

/** The sizes of the runs of `rowPanels`, each of which is a piece of code; the extent is undefined where it is known only when running. */
export function rowRunSizes(extent: number | undefined, size: number): readonly number[] {
  if (extent !== undefined) return balanced(extent, size).map(([n]) => n);
  return size === 1 ? [1] : [size, ...rowRunSizes(extent, largestPower(size - 1))];
}

/** The same of `vectorPanels`, in vectors. */
export function vectorRunSizes(extent: number | undefined, lanes: number, vectors: number): readonly number[] {
  if (extent === undefined) return [...rowRunSizes(extent, vectors), ...(lanes === 1 ? [] : [1])];
  const pieces = balanced(Math.ceil(extent / lanes), vectors);
  const [last, times] = pieces.at(-1) ?? [0, 0];
  const sizes = pieces.map(([n]) => n);
  // The last vector is filled in part.
  return extent % lanes > 0 && times > 1 ? [...sizes, last] : sizes;
}

/** The panels of `descending`. */
function piecesOf(length: number, size: number, exchanged: number): readonly (readonly [number, number])[] {
  const pieces: (readonly [number, number])[] = [];
  let rest = length;
  for (let n = size; rest > 0; n = largestPower(n - 1)) {
    const count = Math.floor(rest / n) - (n === size ? exchanged : 0);
    if (count > 0) pieces.push([n, count]);
    rest -= count * n;
  }
  return pieces;
}

/** The largest power of four up to a number; by twos there would be more code and little gained. */
const largestPower = (n: number): number => 4 ** Math.floor(Math.log2(n) / 2);

/** The element with which panel `panel` begins; for the number of panels, the extent. */
export function panelStart({ runs }: Panels, panel: Position): Position {
  const [only] = runs;
  if (runs.length === 1 && only !== undefined && dimValue(only.length) === only.size)
    return dimMul(panel, dimConst(only.size));
  return runs.reduce((sum, { first, count, length }) => {
    const into = dimSub(panel, first);
    const passed = dimSub(dimMax(into, dimConst(0)), dimMax(dimSub(into, count), dimConst(0)));
    return dimAdd(sum, dimMul(passed, length));
  }, dimConst(0));
}

/** Whether the panels of a run cover all that they hold. */
const isFull = ({ size, length }: Run): boolean => dimValue(length) === size;

/** The largest size of a panel. */
export const panelSize = ({ runs }: Panels): number => runs.reduce((size, run) => Math.max(size, run.size), 0);

/** One panel, where the loops have come to it. */
export interface Panel {
  readonly start: Position;
  readonly size: number;
  readonly length: Dim;
}

/** `count` panels from number `first` on. */
export interface PanelRange {
  readonly first: Position;
  readonly count: Dim;
  /** A number that the count never exceeds. */
  readonly atMost?: number;
}

/** Adds a loop over some of the panels, or all; `content` is added once for each run. */
export function eachPanel(
  body: Body,
  all: Panels,
  content: (panel: Panel) => void,
  part: PanelRange = { first: dimConst(0), count: all.count },
): void {
  const open = (index: Position): void => openPanel(body, all, dimAdd(part.first, index), content);
  if (dimValue(part.count) === 1) open(dimConst(0));
  else
    body.loop(
      part.count,
      'serial',
      (index) => open(dimSymbol(index)),
      part.atMost === undefined ? {} : { atMost: part.atMost },
    );
}

/** Adds the content of panel number `panel`. */
export function openPanel(body: Body, { runs, count }: Panels, panel: Position, content: (panel: Panel) => void): void {
  const [only] = runs;
  if (runs.length === 1 && only !== undefined && isFull(only)) {
    content({ start: dimMul(panel, dimConst(only.size)), size: only.size, length: only.length });
    return;
  }
  const number = dimValue(panel) === undefined ? body.define(panel, count) : panel;
  runs.forEach((run, i) => {
    const into = dimSub(number, run.first);
    const guards: Guard[] = [];
    if (i > 0) guards.push({ kind: 'nonnegative', value: into });
    if (i < runs.length - 1) guards.push({ kind: 'nonnegative', value: dimSub(dimSub(run.count, dimConst(1)), into) });
    body.when(guards, () => {
      // The start is named here, so that nothing that depends on it is computed for panels of other runs.
      const start = body.define(
        dimAdd(run.start, dimMul(into, dimConst(run.size))),
        dimAdd(run.start, dimMul(run.count, dimConst(run.size))),
      );
      content({ start, size: run.size, length: run.length });
    });
  });
}
