// Prints a running fold as a call of the functions of rts/cuda/tdsl_scan.cuh, with its state as a struct and its steps as functions.

import { type Dim, dimConst, dimMul } from '../../../compiler/ir/dims.js';
import type { Scanning } from '../../kernel/gpu/scan.js';
import type { Buffer, Register, Stmt } from '../../kernel/ir.js';
import { neededValues } from '../../kernel/schedule/phases.js';
import { inner, type Lines, type Scope } from '../context.js';
import { fromStorage, toStorage } from '../memory.js';
import { positionText, sizeText } from '../positions.js';
import { emitScalars } from '../scalar.js';
import { emitBody } from '../statements.js';
import { computeType, scalarForm } from '../types.js';
import { withAxes } from './product.js';

export function emitScan(lines: Lines, scanning: Scanning, scope: Scope): void {
  const { part, parts, scan, loop, states, values } = scanning;
  lines.unit.define('#scan', () => '#include "tdsl_scan.cuh"\n');
  emitBody(lines, values, scope);
  lines.line(`const int64_t length = ${positionText(loop.extent, scope.positions)};`);
  emitState(lines, scanning, scope);
  emitSteps(
    lines,
    'step',
    scanning,
    loop.body.filter(({ kind }) => kind !== 'store'),
    scope,
  );
  if (part !== 'totals') emitSteps(lines, 'write', scanning, loop.body, scope);
  const { registers } = scan;
  const element = (k: number): string => `${lines.bufferName(states[k] as Buffer)}[item]`;
  if (part === 'totals') {
    define(lines, 'put = [&](int64_t item, const fold_state &state)', () => {
      registers.forEach(({ dtype }, k) => {
        lines.line(`${element(k)} = ${toStorage(lines.unit, dtype, scalarForm, `state.s${k}`)};`);
      });
    });
    lines.line(`td_scan_totals<fold_state>(items, length, ${parts}, initial, join, above, step, put);`);
  } else if (part === 'parts') {
    define(lines, 'get = [&](int64_t item) -> fold_state', () => {
      const fields = registers.map(({ dtype }, k) => fromStorage(lines.unit, dtype, scalarForm, element(k)));
      lines.line(`return {${fields.join(', ')}};`);
    });
    lines.line(`td_scan_parts<fold_state>(items, length, ${parts}, initial, join, above, step, write, get);`);
  } else lines.line('td_scan_rows<fold_state>(items, length, initial, join, above, step, write);');
}

const define = (lines: Lines, head: string, body: () => void): void => lines.block(`auto ${head} `, body, ';');

/** The state, the one before the first element, and how states are joined and move between threads. */
function emitState(lines: Lines, { scan: { registers, merge }, before }: Scanning, scope: Scope): void {
  const types = registers.map(({ dtype }) => computeType(lines.unit, dtype, scalarForm));
  lines.line(`struct fold_state { ${types.map((type, k) => `${type} s${k};`).join(' ')} };`);
  define(lines, 'initial = [&]() -> fold_state', () => {
    const assigned = before.filter(({ kind }) => kind === 'assign');
    lines.line('fold_state state;');
    emitBody(lines, [...valuesFor(before, assigned), ...assigned], withState(scope, registers));
    lines.line('return state;');
  });
  define(lines, 'join = [&](const fold_state &left, const fold_state &right) -> fold_state', () => {
    const operands = ['left', 'right'].flatMap((side) =>
      registers.map((_, k) => ({ text: `${side}.s${k}`, inLanes: false })),
    );
    lines.line(
      `return {${emitScalars(lines, merge, operands, scalarForm)
        .map(({ text }) => text)
        .join(', ')}};`,
    );
  });
  define(lines, 'above = [&](const fold_state &state, int32_t distance) -> fold_state', () => {
    const moved = types.map((type, k) => `(${type})__shfl_up_sync(0xffffffffu, state.s${k}, distance)`);
    lines.line(`return {${moved.join(', ')}};`);
  });
}

/** A function that takes the step of an element. */
function emitSteps(
  lines: Lines,
  name: string,
  { grid, loop, before, scan }: Scanning,
  body: readonly Stmt[],
  scope: Scope,
): void {
  define(lines, `${name} = [&](int64_t row, int64_t i, fold_state &state)`, () => {
    const within = withAxes(lines, scope, [
      ['row', grid],
      ['i', [loop]],
    ]);
    emitBody(lines, [...valuesFor(before, body), ...body], withState(within, scan.registers));
  });
}

const valuesFor = (before: readonly Stmt[], users: readonly Stmt[]): readonly Stmt[] =>
  neededValues(
    before.filter(({ kind }) => kind === 'let'),
    users,
  );

/** A scope in which the registers of a running fold are the fields of `state`. */
function withState(scope: Scope, registers: readonly Register[]): Scope {
  const within = inner(scope, {});
  registers.forEach(({ name }, k) => {
    within.values.set(name, { texts: [`state.s${k}`], inLanes: false });
  });
  return within;
}

/** The number of rows or parts of rows. */
export function scanItems({ grid, parts, part }: Scanning, sizeName: (symbol: string) => string): string {
  const rows = grid.reduce((product: Dim, { extent }) => dimMul(product, extent), dimConst(1));
  return part === 'rows' ? sizeText(rows, sizeName) : `(${sizeText(rows, sizeName)}) * ${parts}`;
}
