// Prints loads: of one element, of the elements of all lanes from memory in one piece, or lane by lane.

import { dimAdd, dimConst, dimNeg, dimSub, dimValue } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import type { Expr, Guard, Position } from '../kernel/ir.js';
import { coefficient, stride } from '../kernel/positions.js';
import { lanePattern } from '../kernel/schedule/lanes.js';
import { activeLanes, copyPositions, type Lines, type Scope, variesInLanes } from './context.js';
import { constantLanes, eachLane, unrolled } from './guards.js';
import { fromStorage, loadPattern, loadStrided, loadVector, loadWindow } from './memory.js';
import { guardsText, type PositionScope, positionText, resolved } from './positions.js';
import { named } from './scalar.js';
import { computeType, type Form, scalarForm, storageType, storageVector } from './types.js';

type Load = Extract<Expr, { kind: 'load' }>;
/** A pointer and the offset from it at which an element of the buffer lies. */
type PlaceText = (offset: Position, scope: PositionScope) => readonly [pointer: string, offset: string];

/** A load in one copy of the vectors in flight, as a named C value. */
export function emitLoad(lines: Lines, load: Load, scope: Scope, copy: number, form: Form): string {
  const text = loadText(lines, load, scope, copy, form);
  const known = scope.loads.get(text);
  if (known !== undefined) return known;
  const inLanes = form.lanes > 1;
  const { text: name } = named(
    lines,
    load.buffer.dtype,
    form,
    { text, inLanes },
    inLanes && scope.places !== undefined,
  );
  scope.loads.set(text, name);
  return name;
}

function loadText(lines: Lines, { buffer, offset, guards }: Load, scope: Scope, copy: number, form: Form): string {
  const { unit } = lines;
  const positions = copyPositions(scope, copy);
  const place: PlaceText = (position, at) =>
    scope.places?.at(buffer, position, at) ?? [lines.bufferName(buffer), positionText(position, at)];
  const element = (at: PositionScope): string => {
    const [pointer, index] = place(offset, at);
    return `${pointer}[${index}]`;
  };
  if (form.lanes === 1 || scope.lanes === undefined) {
    const read = fromStorage(unit, buffer.dtype, scalarForm, element(positions));
    return guards.length === 0 ? read : `${guardsText(guards, positions)} ? ${read} : 0`;
  }
  const uniform = guards.filter((guard) => !variesInLanes(guard.value, scope));
  const varying = guards.filter((guard) => variesInLanes(guard.value, scope));
  const vector = loadLanes(lines, place, buffer.dtype, offset, varying, scope, copy);
  if (vector === undefined) {
    const type = storageVector(unit, buffer.dtype, form.lanes);
    const zero = `(${storageType(buffer.dtype)})0`;
    const gathered = eachLane(lines, type, scope, copy, (lane) => {
      const read = element(lane);
      return guards.length === 0 ? read : `${guardsText(guards, lane)} ? ${read} : ${zero}`;
    });
    return fromStorage(unit, buffer.dtype, form, gathered);
  }
  if (uniform.length === 0) return vector;
  // C wants both to have the same type, and vectors in memory have one of their own.
  const type = computeType(unit, buffer.dtype, form);
  return `${guardsText(uniform, positions)} ? (${type})(${vector}) : (${type}){0}`;
}

/** The elements of all lanes as an expression without effects, undefined where they have to be taken one by one. */
function loadLanes(
  lines: Lines,
  place: PlaceText,
  dtype: DType,
  offset: Position,
  guards: readonly Guard[],
  scope: Scope,
  copy: number,
): string | undefined {
  const { unit } = lines;
  const lanes = scope.lanes as NonNullable<Scope['lanes']>;
  const { form, index } = lanes;
  const positions = copyPositions(scope, copy);
  const count = activeLanes(lanes, copy);
  const at = (position: Position): string => {
    const [pointer, index] = place(position, positions);
    return `${pointer} + (${index})`;
  };
  const pattern = lanePattern(unrolled(offset, scope), index, form.lanes);
  const isInOrder = pattern?.deltas.every((delta, lane) => delta === lane) ?? false;
  if (isInOrder) {
    const window = windowText(guards, scope, copy);
    if (window !== undefined) {
      if (guards.length > 0) {
        const [first, end] = [Number(window.low), Number(window.high)];
        if (first <= 0 && end >= form.lanes) return loadVector(unit, dtype, form, at(offset));
        if (first >= end) return `(${computeType(unit, dtype, form)}){0}`;
        const [low, high] = [lines.fresh(), lines.fresh()];
        lines.line(`const int64_t ${low} = ${window.low}, ${high} = ${window.high};`);
        return `${low} < ${high} ? ${loadWindow(unit, dtype, form, at(offset), low, high)} : (${computeType(unit, dtype, form)}){0}`;
      }
      return count === undefined
        ? loadVector(unit, dtype, form, at(offset))
        : loadWindow(unit, dtype, form, at(offset), '0', count);
    }
  }
  const active = constantLanes(guards, scope, copy);
  if (pattern !== undefined && active !== undefined) {
    const deltas = pattern.deltas.map((delta, lane) => (active[lane] === true ? delta : undefined));
    return loadPattern(unit, dtype, form, (delta) => at(dimAdd(pattern.start, dimConst(delta))), deltas);
  }
  const step = coefficient(offset, index);
  if (step === undefined || guards.length > 0) return undefined;
  return loadStrided(unit, dtype, form, at(offset), positionText(step, positions), count);
}

/** The lanes low ≤ lane < high in which all guards hold, where they have that form. */
function windowText(
  guards: readonly Guard[],
  scope: Scope,
  copy: number,
): { readonly low: string; readonly high: string } | undefined {
  const lanes = scope.lanes as NonNullable<Scope['lanes']>;
  const positions = copyPositions(scope, copy);
  const [lows, highs]: [Position[], Position[]] = [[], []];
  for (const { kind, value } of guards) {
    const step = stride(value, lanes.index);
    if (kind !== 'nonnegative' || (step !== 1 && step !== -1)) return undefined;
    // At lane l the guard's value is what it is at lane 0, plus or minus l.
    if (step === 1) keepTightest(lows, dimNeg(value), 1);
    else keepTightest(highs, dimSub(value, dimConst(-1)), -1);
  }
  const whole = activeLanes(lanes, copy) ?? String(lanes.form.lanes);
  const extreme = (name: 'max' | 'min', bounds: readonly Position[], limit: string): string =>
    bounds.reduce((text, bound) => {
      const [known, value] = [Number(text), dimValue(resolved(bound, positions))];
      if (!Number.isNaN(known) && value !== undefined) return String(Math[name](known, value));
      return `tdsl_${name}(${text}, ${positionText(bound, positions)})`;
    }, limit);
  const low = extreme('max', lows, '0');
  const high = extreme('min', highs, whole);
  return { low, high };
}

/** Adds a bound to those that differ from it by more than a constant; of others the larger stays (sign 1), or the smaller (sign -1). */
function keepTightest(bounds: Position[], bound: Position, sign: 1 | -1): void {
  const at = bounds.findIndex((other) => dimValue(dimSub(bound, other)) !== undefined);
  if (at < 0) bounds.push(bound);
  else if (sign * (dimValue(dimSub(bound, bounds[at] as Position)) as number) > 0) bounds[at] = bound;
}
