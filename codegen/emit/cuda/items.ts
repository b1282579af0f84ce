// Prints the iterations of a grid that do not know of each other: dealt out in turn to all threads or teams.

import type { Items } from '../../kernel/gpu/schedule.js';
import { type Lines, type Scope, withRange } from '../context.js';
import { loopName, positionText } from '../positions.js';
import { emitBody } from '../statements.js';
import type { RowPrinter } from './rows.js';
import type { WidePrinter } from './wide.js';

export function emitItems(
  lines: Lines,
  phase: Items,
  outer: Scope,
  wide: WidePrinter,
  row: RowPrinter | undefined,
): void {
  const { team, values, grid } = phase;
  if (team > 1) lines.line(`const int32_t lane = threadIdx.x & ${team - 1};`);
  row?.declare(lines);
  emitBody(lines, values, outer);
  if (wide.print(lines, phase, outer)) return;
  if (grid.length === 0) {
    emitOnce(lines, phase, outer);
    return;
  }
  let scope = outer;
  for (const { index, extent } of grid) scope = { ...scope, positions: withRange(scope, index, extent) };
  emitGrid(lines, phase, scope);
}

/** A phase without a grid is the work of one thread or team. */
function emitOnce(lines: Lines, { team, body }: Items, scope: Scope): void {
  lines.line(`if (block > 0${team === 1 ? ' || threadIdx.x > 0' : ''}) return;`);
  emitBody(lines, body, scope);
}

/** The iterations of a grid, dealt out to all its threads or teams in turn. */
function emitGrid(lines: Lines, { grid, team, body }: Items, scope: Scope): void {
  const own = team === 1 ? 'threadIdx.x' : `(int32_t)(threadIdx.x / ${team})`;
  const perBlock = team === 1 ? 'blockDim.x' : `(int32_t)(blockDim.x / ${team})`;
  const start = `block * ${perBlock} + ${own}`;
  const step = `blocks * ${perBlock}`;
  const item = grid.length === 1 ? loopName((grid[0] as { index: string }).index) : 'item';
  lines.block(`for (int64_t ${item} = ${start}; ${item} < items; ${item} += ${step}) `, () => {
    if (grid.length > 1) splitItem(lines, grid, scope);
    emitBody(lines, body, scope);
  });
}

/** Defines the loop variables of a grid from the number of the iteration, the last one running fastest. */
function splitItem(lines: Lines, grid: Items['grid'], scope: Scope): void {
  let rest = 'item';
  grid.toReversed().forEach(({ index, extent }, i) => {
    const name = loopName(index);
    if (i === grid.length - 1) {
      lines.line(`const int64_t ${name} = ${rest};`);
      return;
    }
    const size = positionText(extent, scope.positions);
    const quotient = lines.fresh('rest');
    lines.line(`const int64_t ${quotient} = td_divide(${rest}, ${size});`);
    lines.line(`const int64_t ${name} = ${rest} - ${quotient} * (${size});`);
    rest = quotient;
  });
}
