// Prints guards, and vectors whose lanes have to be computed one by one.

import { dimAdd, dimConst, dimSubstitute, dimSymbol, dimValue } from '../../compiler/ir/dims.js';
import { type Guard, type Loop, type Position, type Stmt, walk } from '../kernel/ir.js';
import { isNonNegative, mentions, stride } from '../kernel/positions.js';
import { laneResidues } from '../kernel/schedule/lanes.js';
import {
  activeLanes,
  copyPositions,
  type Lines,
  type Scope,
  variesInLanes,
  type Within,
  withKnown,
} from './context.js';
import { constantMask, lanesFrom } from './memory.js';
import { guardsText, guardText, positionText } from './positions.js';
import { maskType } from './types.js';

/** The condition of no guards. */
export const ALWAYS = '(1)';

/** Guards as a condition: of a C statement, or a mask where they differ between lanes. */
export function emitGuards(
  lines: Lines,
  guards: readonly Guard[],
  scope: Scope,
  copy: number,
): { readonly text: string; readonly inLanes: boolean } {
  const varying = guards.filter(
    (guard) => variesInLanes(guard.value, scope) && !(guardLanes(guard, scope, copy)?.every((holds) => holds) ?? false),
  );
  const uniform = guards.filter((guard) => !variesInLanes(guard.value, scope));
  const positions = copyPositions(scope, copy);
  const { lanes } = scope;
  if (varying.length === 0 || lanes === undefined)
    return { text: uniform.length === 0 ? ALWAYS : `(${guardsText(uniform, positions)})`, inLanes: false };
  const masks = varying.map((guard) => guardMask(lines, guard, scope, copy));
  if (uniform.length > 0) {
    const type = maskType(lines.unit, lanes.form);
    masks.unshift(`((${type}){0} - (${guardsText(uniform, positions)}))`);
  }
  return { text: `(${masks.join(' & ')})`, inLanes: true };
}

function guardMask(lines: Lines, guard: Guard, scope: Scope, copy: number): string {
  const { lanes } = scope as { lanes: NonNullable<Scope['lanes']> };
  const positions = copyPositions(scope, copy);
  const known = guardLanes(guard, scope, copy);
  if (known !== undefined) return constantMask(lines.unit, lanes.form, known);
  const step = stride(guard.value, lanes.index);
  if (guard.kind === 'nonnegative' && step !== undefined) {
    return lanesFrom(lines.unit, lanes.form, positionText(guard.value, positions), step);
  }
  return eachLane(lines, maskType(lines.unit, lanes.form), scope, copy, (lane) => `-(${guardText(guard, lane)})`);
}

/** A vector computed lane by lane; inactive lanes are 0. */
export function eachLane(
  lines: Lines,
  type: string,
  scope: Scope,
  copy: number,
  text: (lane: Scope['positions']) => string,
): string {
  const lanes = scope.lanes as NonNullable<Scope['lanes']>;
  const name = lines.fresh();
  const lane = lines.fresh('$lane');
  const count = activeLanes(lanes, copy) ?? String(lanes.form.lanes);
  const positions = copyPositions(scope, copy);
  const base = positions.known.get(lanes.index) ?? dimSymbol(lanes.index);
  const at = {
    ...withKnown({ ...scope, positions }, lanes.index, dimAdd(base, dimSymbol(lane))),
    ranges: new Map([...positions.ranges, [lane, dimConst(lanes.form.lanes)]]),
  };
  const variable = lane.slice(1);
  lines.line(`${type} ${name} = {0};`);
  lines.line(
    `for (int64_t ${variable} = 0; ${variable} < ${count}; ${variable}++) ${name}[${variable}] = ${text(at)};`,
  );
  return name;
}

/** Which lanes are active and satisfy all guards, where that is known. */
export function constantLanes(guards: readonly Guard[], scope: Scope, copy: number): readonly boolean[] | undefined {
  const lanes = scope.lanes as NonNullable<Scope['lanes']>;
  const count = activeLanes(lanes, copy);
  const active = count === undefined ? lanes.form.lanes : /^\d+$/.test(count) ? Number(count) : undefined;
  const masks = guards.map((guard) => guardLanes(guard, scope, copy));
  if (active === undefined || masks.includes(undefined)) return undefined;
  return Array.from(
    { length: lanes.form.lanes },
    (_, lane) => lane < active && masks.every((mask) => mask?.[lane] === true),
  );
}

/** In which lanes of a vector a guard holds, where that is known: by the place of the vector, or the same in every vector of the loop. */
function guardLanes(guard: Guard, scope: Scope, copy: number): readonly boolean[] | undefined {
  const lanes = scope.lanes as NonNullable<Scope['lanes']>;
  if (guard.kind !== 'multiple') {
    const { known } = copyPositions(scope, copy);
    const start = known.get(lanes.index);
    if (start === undefined || dimValue(start) === undefined) {
      const isOpen = lanes.within !== undefined && holdsWithin(guard, lanes.within, scope, lanes.index);
      return isOpen ? Array.from({ length: lanes.form.lanes }, () => true) : undefined;
    }
    const values = Array.from({ length: lanes.form.lanes }, (_, lane) => {
      const at = new Map([...known, [lanes.index, dimAdd(start, dimConst(lane))]]);
      return dimValue(dimSubstitute(guard.value, at));
    });
    return values.includes(undefined) ? undefined : values.map((value) => (value as number) >= 0);
  }
  return laneResidues(unrolled(guard.value, scope), lanes.index, lanes.form.lanes, guard.of)?.map((rest) => rest === 0);
}

/** Whether a guard holds wherever the index of a loop is within a range. */
function holdsWithin(guard: Guard, { from, to }: Within, scope: Scope, index: string): boolean {
  if (guard.kind !== 'nonnegative') return false;
  const known = new Map(scope.positions.known);
  known.set(index, dimAdd(dimSymbol(index), dimConst(from)));
  return isNonNegative(
    dimSubstitute(guard.value, known),
    new Map([...scope.positions.ranges, [index, dimConst(to - from)]]),
  );
}

/**
 * The whole blocks of a vector loop in which most guards hold, of 0 ≤ index < end: those at the border, where an operand ends, may be left out to
 * be printed for themselves.
 */
export function interior(loop: Loop, block: number, end: number, scope: Scope): Within {
  const guards = [...walk(loop.body)].flatMap(guardsOf).filter(({ value }) => mentions(value, loop.index));
  const open = (within: Within): number =>
    guards.filter((guard) => !holdsWithin(guard, within, scope, loop.index)).length;
  const ranges = [0, block].flatMap((to) => [0, block].map((from): Within => ({ from, to: end - to })));
  const counts = ranges.filter(({ from, to }) => from < to).map((within) => ({ within, count: open(within) }));
  return counts.reduce((best, each) => (each.count < best.count ? each : best)).within;
}

/** The guards that a statement itself has. */
function guardsOf(stmt: Stmt): readonly Guard[] {
  if (stmt.kind === 'fold') return stmt.guards;
  const isGuarded = stmt.kind === 'let' && (stmt.value.kind === 'load' || stmt.value.kind === 'choose');
  return isGuarded && 'guards' in stmt.value ? stmt.value.guards : [];
}

/** A position with everything filled in that is known but the place of the vector. */
export function unrolled(position: Position, scope: Scope): Position {
  const known = new Map(scope.positions.known);
  if (scope.lanes !== undefined) known.delete(scope.lanes.index);
  return dimSubstitute(position, known);
}
