// Prints what a team of threads does together: shared loops, folds that are joined at their end, and stores that one thread makes. All
// other statements are printed as for the CPU, one element at a time.

import type { DType } from '../../../compiler/ir/dtype.js';
import type { Items, Team } from '../../kernel/gpu/schedule.js';
import type { Accumulate, Stmt } from '../../kernel/ir.js';
import { walk } from '../../kernel/ir.js';
import { type FoldState, inner, type Lines, type Override, type Scope } from '../context.js';
import { declareState, finishFold } from '../folds.js';
import { emitScalars, type Operand } from '../scalar.js';
import { emitBody } from '../statements.js';
import { computeType, scalarForm } from '../types.js';
import { OnlinePrinter } from './online.js';
import type { RowPrinter } from './rows.js';
import { TilePrinter } from './tiles.js';

const WARP = 32;

/** Waits for the threads of a team; what they wrote is then seen by all of them. */
export const teamBarrier = (team: Team): string => (team === WARP ? '__syncwarp();' : '__syncthreads();');

/**
 * How the statements of a phase are printed for its team. `lane` is the C text of a thread's number in the team; `row` prints passes over rows that
 * stay in registers.
 */
export function teamOverride({ team, body, online = [] }: Items, lane: string, row: RowPrinter | undefined): Override {
  const folds = [...walk(body)].filter(isSharedFold);
  const isOnly = folds.length < 2 || folds.some((fold) => !body.includes(fold));
  const passes = row ?? new TilePrinter(team, lane);
  const pairs = new OnlinePrinter(online, team, lane, (lines, state) => joinTeam(lines, state, team, isOnly));
  let isShared = false;
  let isOne = false;
  const shared = (lines: Lines, stmt: Extract<Stmt, { kind: 'for' }>, scope: Scope): void => {
    const writes = [...walk(stmt.body)].some(({ kind }) => kind === 'store');
    // A result may lie where an operand lies, and a later loop may read what this one keeps in a result.
    const needsBarrier = writes && row?.row.isPrivate !== true;
    if (needsBarrier) lines.line(teamBarrier(team));
    isShared = true;
    passes.print(lines, stmt, scope);
    isShared = false;
    if (needsBarrier) lines.line(teamBarrier(team));
    if (writes) scope.loads.clear();
  };
  return (lines, stmt, scope) => {
    if (isShared) return passes.override(lines, stmt, scope);
    if (isOne) return false;
    if (stmt.kind === 'for' && stmt.mark === 'team') {
      shared(lines, stmt, scope);
      return true;
    }
    if (stmt.kind === 'store') {
      lines.line(teamBarrier(team));
      lines.block(`if (${lane} == 0) `, () => {
        isOne = true;
        emitBody(lines, [stmt], scope);
        isOne = false;
      });
      return true;
    }
    if (!isSharedFold(stmt)) return false;
    if (pairs.print(lines, stmt, scope)) return true;
    emitShared(lines, stmt, scope, team, isOnly);
    return true;
  };
}

const isSharedFold = (stmt: Stmt): stmt is Accumulate =>
  stmt.kind === 'accumulate' && [...walk(stmt.body)].some((part) => part.kind === 'for' && part.mark === 'team');

/** A fold whose steps the threads of the team share. */
function emitShared(lines: Lines, stmt: Accumulate, scope: Scope, team: Team, isOnly: boolean): void {
  const state = declareState(lines, stmt, scope);
  emitBody(lines, stmt.body, inner(scope, { folds: new Map([...scope.folds, [stmt.name, state]]) }));
  joinTeam(lines, state, team, isOnly);
  finishFold(lines, stmt, state, scope);
}

/** Joins the states of the threads of a team, and gives all the result. */
function joinTeam(lines: Lines, state: FoldState, team: Team, isOnly: boolean): void {
  joinWarp(lines, state);
  if (team > WARP) joinBlock(lines, state, team, isOnly);
}

const assign = (lines: Lines, state: FoldState, right: readonly string[]): void => {
  const own = state.variables[0] as readonly string[];
  const operands = [...own, ...right].map((text): Operand => ({ text, inLanes: false }));
  const merged = emitScalars(lines, state.accumulate.fold.merge, operands, scalarForm).map(({ text }, i) => {
    const name = lines.fresh();
    lines.line(`const ${typeOf(lines, state, i)} ${name} = ${text};`);
    return name;
  });
  for (const [i, variable] of own.entries()) lines.line(`${variable} = ${merged[i]};`);
};

const typeOf = (lines: Lines, { accumulate }: FoldState, i: number): string =>
  computeType(lines.unit, accumulate.fold.state[i] as DType, scalarForm);

/**
 * Joins the states of a warp, or of each of its groups of neighbouring lanes, in a tree that depends on nothing but the lanes, and gives all of them the
 * result.
 */
export function joinWarp(lines: Lines, state: FoldState, lanes = WARP): void {
  const own = state.variables[0] as readonly string[];
  const first = lanes === WARP ? '0' : `(int)(threadIdx.x & ${WARP - lanes})`;
  lines.block(`for (int32_t distance = ${lanes / 2}; distance > 0; distance /= 2) `, () => {
    const right = own.map((variable, i) => {
      const name = lines.fresh();
      const type = typeOf(lines, state, i);
      lines.line(`const ${type} ${name} = (${type})__shfl_down_sync(0xffffffffu, ${variable}, distance);`);
      return name;
    });
    assign(lines, state, right);
  });
  own.forEach((variable, i) => {
    lines.line(`${variable} = (${typeOf(lines, state, i)})__shfl_sync(0xffffffffu, ${variable}, ${first});`);
  });
}

/**
 * Joins the states of the warps of a block, in order. What the warps leave may be overwritten only after all have read it: the next fold, which
 * has an array of its own, waits for that, and where there is no other, this one does.
 */
function joinBlock(lines: Lines, state: FoldState, team: Team, isOnly: boolean): void {
  const own = state.variables[0] as readonly string[];
  const arrays = own.map((variable, i) => {
    const name = lines.fresh('part');
    lines.line(`TD_SHARED(${typeOf(lines, state, i)}, ${name}, [${team / WARP}]);`);
    lines.line(`if ((threadIdx.x & ${WARP - 1}) == 0) ${name}[threadIdx.x / ${WARP}] = ${variable};`);
    return name;
  });
  lines.line('__syncthreads();');
  for (const [i, variable] of own.entries()) lines.line(`${variable} = ${arrays[i]}[0];`);
  lines.block(`for (int32_t warp = 1; warp < ${team / WARP}; warp++) `, () => {
    assign(
      lines,
      state,
      arrays.map((array) => `${array}[warp]`),
    );
  });
  if (isOnly) lines.line('__syncthreads();');
}
