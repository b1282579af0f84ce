// Columns of a chain that a condition on places hides from all rows of a block: there the choice between the score and something else is made
// beforehand, and what an element adds to folds, sums and results can be said without its score. Where that is nothing, its tile can be left out.

import { dimAdd, dimConst, dimNeg } from '../../../../compiler/ir/dims.js';
import { limitOf, type Span, spanIn } from '../../contraction/windows.js';
import { exprPositions, type Guard, type Stmt, type Temp } from '../../ir.js';
import { guardKey, mentions } from '../../positions.js';
import { neededValues } from '../../schedule/phases.js';
import type { Levels } from './levels.js';
import { isFold, scalarText } from './online.js';
import { COLUMN, type Let, ROW, type RowFold, type RowProgram, type Store } from './rows.js';

/** What is known of hidden columns. */
export interface Hidden {
  /** The columns of which some row of the block may see an element. */
  readonly seen: Span;
  /** The values of an element as they are in the other ones. */
  readonly values: readonly Let[];
}

/** Under which conditions a sweep may leave hidden elements out. */
export interface Idle {
  /** Folds whose state a step leaves as it is. */
  readonly folds: readonly RowFold[];
  /** Values that are 0. */
  readonly zeros: readonly Temp[];
  /** Whether some of these are multiplied by scores, which have to be finite. */
  readonly needsScores: boolean;
}

/** What is taken of the elements of a sweep. */
export interface SweepUses {
  readonly folds: readonly RowFold[];
  readonly weight: Temp | undefined;
  readonly stores: readonly Store[];
}

/** The columns that a condition hides; undefined where there is none that makes the weights of the second product independent of the scores. */
export function hiddenOf(program: RowProgram, levels: Levels): Hidden | undefined {
  const own = program.values.filter(({ temp }) => levels.isElement(temp));
  for (const { value } of own) {
    if (value.kind !== 'choose') continue;
    for (const seenWhere of conditionsOf(value.guards)) {
      const seen = seenColumns(seenWhere, program);
      if (seen === undefined) continue;
      const values = own.map((stmt) => decided(stmt, value.guards, seenWhere === value.guards));
      if (!readsScore({ seen, values }, program, [program.weight])) return { seen, values };
    }
  }
  return undefined;
}

/** What must hold for a sweep to leave hidden elements out; undefined where that cannot be said without their scores. */
export function idleOf(hidden: Hidden, program: RowProgram, { folds, weight, stores }: SweepUses): Idle | undefined {
  if (readsScore(hidden, program, [...stores.map(({ value }) => value), ...(weight === undefined ? [] : [weight])]))
    return undefined;
  const stepped = folds.filter(({ args }) => !readsScore(hidden, program, args));
  const factors = folds
    .filter((fold) => !stepped.includes(fold))
    .map((fold) => (isFold(fold, 'add', 0) ? factorOfScore(hidden, program, fold.args[0] as Temp) : undefined));
  if (factors.includes(undefined) || folds.some(({ guards }) => guards.length > 0)) return undefined;
  const zeros = [...(factors as readonly Temp[]), ...(weight === undefined ? [] : [weight])];
  return { folds: stepped, zeros, needsScores: factors.length > 0 };
}

/** A statement that uses values, to find what they need. */
export const userOf = (args: readonly Temp[]): Stmt => ({ kind: 'fold', into: '', args, guards: [] });

/** Whether what values of hidden elements are made of differs between the elements of a row. */
export const variesInRow = ({ values }: Hidden, temps: readonly Temp[]): boolean =>
  neededValues(values, [userOf(temps)]).some(
    (stmt) => stmt.kind === 'let' && exprPositions(stmt.value).some((position) => mentions(position, COLUMN)),
  );

/** Conditions that hold wherever a choice may be the one that needs the score: those of the choice, or the opposite of a single one. */
function conditionsOf(guards: readonly Guard[]): readonly (readonly Guard[])[] {
  const [only] = guards;
  if (guards.length !== 1 || only?.kind !== 'nonnegative') return [guards];
  return [guards, [{ kind: 'nonnegative', value: dimAdd(dimNeg(only.value), dimConst(-1)) }]];
}

/** The columns where conditions may hold for a row of the block. */
function seenColumns(guards: readonly Guard[], { columns, rows }: RowProgram): Span | undefined {
  const bounds = guards.flatMap((guard) => limitOf(guard, [COLUMN], [ROW])?.bound ?? []);
  const allRows: Span = { start: dimConst(0), length: rows };
  return bounds.length === 0 ? undefined : spanIn(bounds, COLUMN, columns, () => allRows);
}

/** A value where a choice is made beforehand. */
function decided(stmt: Let, guards: readonly Guard[], isOtherwise: boolean): Let {
  const { value, temp } = stmt;
  if (value.kind !== 'choose' || keyOf(value.guards) !== keyOf(guards)) return stmt;
  const chosen = isOtherwise ? value.otherwise : value.accepted;
  return {
    ...stmt,
    value: { kind: 'scalar', body: { kind: 'argument', index: 0, dtype: temp.dtype }, args: [chosen] },
  };
}

const keyOf = (guards: readonly Guard[]): string => guards.map(guardKey).join(' && ');

function readsScore({ values }: Hidden, { score }: RowProgram, temps: readonly Temp[]): boolean {
  const place: Stmt = {
    kind: 'let',
    temp: score,
    value: { kind: 'position', value: dimConst(0), dtype: score.dtype },
  };
  return neededValues([place, ...values], [userOf(temps)]).includes(place);
}

/** What the score is multiplied by in a product of the two; it differs from element to element, as what a mask has made 0 does. */
function factorOfScore(hidden: Hidden, program: RowProgram, product: Temp): Temp | undefined {
  const value = hidden.values.find(({ temp }) => temp.name === product.name)?.value;
  if (value?.kind !== 'scalar' || scalarText(value) !== 'mul($0, $1)') return undefined;
  const others = value.args.filter(({ name }) => name !== program.score.name);
  const [factor] = others;
  const isFactor = factor !== undefined && others.length === 1 && !readsScore(hidden, program, [factor]);
  return isFactor && variesInRow(hidden, [factor]) ? factor : undefined;
}
