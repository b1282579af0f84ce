// Prints the statements of the kernel IR as C.

import { dimAdd, dimConst, dimSub, dimSymbol, dimValue } from '../../compiler/ir/dims.js';
import { dtypeBytes } from '../../compiler/ir/dtype.js';
import { type Guard, type Loop, type Register, type Stmt, walk } from '../kernel/ir.js';
import { CACHE_LINE } from '../kernel/machine.js';
import { coefficient } from '../kernel/positions.js';
import { widestBytes } from '../kernel/schedule/lanes.js';
import {
  activeLanes,
  copyPositions,
  inner,
  type Lines,
  operandOf,
  type Scope,
  valueNamed,
  variesInLanes,
  withKnown,
  withRange,
} from './context.js';
import { emitExpr, registerName } from './expressions.js';
import { emitAccumulate, emitFold } from './folds.js';
import { emitGuards, interior } from './guards.js';
import { streamInstruction } from './intrinsics.js';
import { storePart, storeVector, toStorage } from './memory.js';
import { emitPast, pastStore } from './past.js';
import { isProductLoop, Places } from './places.js';
import { guardsText, loopName, positionText } from './positions.js';
import { inForm } from './scalar.js';
import { sortCall } from './sort.js';
import { computeType, type Form, scalarForm, vectorForm } from './types.js';

/** Prints statements one after another. */
export function emitBody(lines: Lines, body: readonly Stmt[], scope: Scope): void {
  for (const stmt of body) emitStatement(lines, stmt, scope);
}

function emitStatement(lines: Lines, stmt: Stmt, scope: Scope): void {
  if (lines.override(lines, stmt, scope)) return;
  switch (stmt.kind) {
    case 'let':
      scope.values.set(stmt.temp.name, emitExpr(lines, stmt.value, scope));
      return;
    case 'store':
      emitStore(lines, stmt, scope);
      scope.loads.clear();
      return;
    case 'for':
      emitLoop(lines, stmt, scope);
      forgetLoads(stmt, scope);
      return;
    case 'accumulate':
      emitAccumulate(lines, stmt, scope, emitBody);
      return;
    case 'fold':
      emitFold(lines, stmt, scope);
      return;
    case 'lookup':
      emitLookup(lines, stmt, scope);
      return;
    case 'check':
      lines.line(`if (!${emitGuards(lines, stmt.guards, scope, 0).text}) TDSL_FAULT(${stmt.site}, 0, 0, 0);`);
      return;
    case 'define':
      scope.places?.enter(stmt.index);
      lines.line(`const int64_t ${loopName(stmt.index)} = ${positionText(stmt.value, scope.positions)};`);
      return;
    case 'fetch':
      emitFetch(lines, stmt, scope);
      return;
    case 'sort':
      lines.line(sortCall(lines, stmt, (size) => positionText(size, scope.positions)));
      scope.loads.clear();
      return;
    case 'transpose':
      emitTranspose(lines, stmt.register, scope);
      return;
    case 'registers':
      emitRegisters(lines, stmt, scope);
      return;
    case 'assign':
      emitAssign(lines, stmt, scope);
      return;
    case 'if':
      emitIf(lines, stmt.guards, stmt.body, scope);
      forgetLoads(stmt, scope);
  }
}

function forgetLoads(stmt: Stmt, scope: Scope): void {
  for (const part of walk([stmt])) if (part.kind === 'store' || part.kind === 'sort') scope.loads.clear();
}

function emitStore(lines: Lines, stmt: Extract<Stmt, { kind: 'store' }>, scope: Scope): void {
  const { unit } = lines;
  const { buffer, offset } = stmt;
  const name = lines.bufferName(buffer);
  const value = valueNamed(scope, stmt.value.name);
  const { lanes } = scope;
  if (lanes === undefined || !variesInLanes(offset, scope)) {
    const text = toStorage(unit, buffer.dtype, scalarForm, operandOf(value, 0).text);
    lines.line(`${name}[${positionText(offset, scope.positions)}] = ${text};`);
    return;
  }
  for (let copy = 0; copy < lanes.copies; copy++) {
    const positions = copyPositions(scope, copy);
    const text = inForm(unit, buffer.dtype, lanes.form, operandOf(value, copy));
    const count = activeLanes(lanes, copy);
    const step = coefficient(offset, lanes.index);
    if (step !== undefined && dimValue(step) === 1) {
      const pointer = `${name} + (${positionText(offset, positions)})`;
      const isPast = stmt.isPast === true && scope.past !== undefined && count === undefined;
      const stream = isPast ? streamInstruction(unit, pointer, text) : undefined;
      if (stream !== undefined) {
        lines.line(`if (${scope.past}) ${stream}`);
        lines.line(`else ${storeVector(unit, buffer.dtype, lanes.form, pointer, text)}`);
        continue;
      }
      lines.line(
        count === undefined
          ? storeVector(unit, buffer.dtype, lanes.form, pointer, text)
          : storePart(unit, buffer.dtype, lanes.form, pointer, count, text),
      );
      continue;
    }
    const lane = lines.fresh('$lane');
    const base = positions.known.get(lanes.index) ?? dimSymbol(lanes.index);
    const at = withKnown({ ...scope, positions }, lanes.index, dimAdd(base, dimSymbol(lane)));
    const stored = lines.fresh();
    const variable = lane.slice(1);
    lines.line(`const __auto_type ${stored} = ${toStorage(unit, buffer.dtype, lanes.form, text)};`);
    lines.line(
      `for (int64_t ${variable} = 0; ${variable} < ${count ?? lanes.form.lanes}; ${variable}++) ${name}[${positionText(offset, at)}] = ${stored}[${variable}];`,
    );
  }
}

/** How many bytes ahead of its use memory is asked for, at least and at most. */
const NEAREST = 4096;
const FARTHEST = 65536;

/** Asks for the line of an element or those of the vectors in flight, or what lies `row` elements ahead; then partial vectors ask for nothing. */
function emitFetch(lines: Lines, { buffer, offset, row }: Extract<Stmt, { kind: 'fetch' }>, scope: Scope): void {
  const { lanes } = scope;
  if (row !== undefined && (lanes === undefined || lanes.count !== undefined)) return;
  const bytes = dtypeBytes(buffer.dtype);
  const [least, most] = [NEAREST / bytes, FARTHEST / bytes];
  const known = row && dimValue(row);
  const ahead =
    row === undefined
      ? undefined
      : known === undefined
        ? `tdsl_max(${least}, tdsl_min(${most}, ${positionText(row, scope.positions)}))`
        : String(Math.max(least, Math.min(most, known)));
  // A line that is to be written is asked for as one that no other core keeps.
  const purpose = buffer.role === 'out' ? ', 1' : '';
  for (let copy = 0; copy < (lanes?.copies ?? 1); copy++) {
    if (lanes !== undefined && (copy * lanes.form.lanes * bytes) % CACHE_LINE !== 0) continue;
    const place = positionText(offset, copyPositions(scope, copy));
    const at = ahead === undefined ? place : `${place} + ${ahead}`;
    lines.line(`__builtin_prefetch(${lines.bufferName(buffer)} + (${at})${purpose});`);
  }
}

function emitLookup(lines: Lines, stmt: Extract<Stmt, { kind: 'lookup' }>, scope: Scope): void {
  const { positions } = scope;
  const name = loopName(stmt.index);
  const size = positionText(stmt.size, positions);
  lines.line(`int64_t ${name} = ${operandOf(valueNamed(scope, stmt.value.name), 0).text};`);
  lines.block(`if (__builtin_expect(${name} < 0 || ${name} >= ${size}, 0)) `, () => {
    const condition = stmt.guards.length === 0 ? '' : `if (${guardsText(stmt.guards, positions)}) `;
    lines.line(`${condition}TDSL_FAULT(${stmt.site}, ${positionText(stmt.position, positions)}, ${name}, ${size});`);
    lines.line(`${name} = 0;`);
  });
}

/** Register arrays are C variables, one for each index; the last index counts vectors where the elements are in lanes. */
function emitRegisters(lines: Lines, { register, crowded }: Extract<Stmt, { kind: 'registers' }>, scope: Scope): void {
  const { unit } = lines;
  if (crowded === true) lines.line('TDSL_CLEAR_REGISTERS;');
  const form = registerForm(lines, register, scope);
  const type = computeType(unit, register.dtype, form);
  const base = lines.fresh('r');
  scope.values.set(register.name, { texts: [base], inLanes: false });
  for (const name of registerNames(register, base, form, scope)) {
    lines.line(`${type} ${name} = ${form.lanes === 1 ? '0' : '{0}'};`);
  }
}

/** Registers inside of a vector loop are in its lanes; a register array of its own has lanes along its last dimension. */
function registerForm(lines: Lines, register: Register, scope: Scope): Form {
  if (scope.lanes !== undefined) return scope.lanes.form;
  return register.shape.length === 0 ? scalarForm : vectorForm(lines.unit.machine, dtypeBytes(register.dtype));
}

function registerNames(register: Register, base: string, form: Form, scope: Scope): string[] {
  if (scope.lanes !== undefined) {
    if (register.shape.length > 0) throw new Error(`the register array ${register.name} lies inside of a vector loop`);
    return Array.from({ length: scope.lanes.copies }, (_, copy) => `${base}_${copy}`);
  }
  const counts = register.shape.map((extent, d) =>
    d === register.shape.length - 1 ? Math.ceil(extent / form.lanes) : extent,
  );
  return counts.reduce<string[]>(
    (names, count) => names.flatMap((name) => Array.from({ length: count }, (_, i) => `${name}_${i}`)),
    [base],
  );
}

/**
 * Transposes a square register array in place: step by step, 2×2 blocks of blocks exchange their corners, first of single lanes, then of
 * twice as many.
 */
function emitTranspose(lines: Lines, register: Register, scope: Scope): void {
  const [base] = valueNamed(scope, register.name).texts;
  const [size = 0] = register.shape;
  const numbers = Array.from({ length: size }, (_, lane) => lane);
  const type = computeType(lines.unit, register.dtype, registerForm(lines, register, scope));
  for (let distance = 1; distance < size; distance *= 2) {
    const isHigh = (index: number): boolean => Math.floor(index / distance) % 2 === 1;
    const top = numbers.map((lane) => (isHigh(lane) ? size + lane - distance : lane));
    const bottom = numbers.map((lane) => (isHigh(lane) ? size + lane : lane + distance));
    for (const row of numbers.filter((index) => !isHigh(index))) {
      const [a, b] = [`${base}_${row}_0`, `${base}_${row + distance}_0`];
      const first = lines.fresh();
      lines.line(`const ${type} ${first} = __builtin_shufflevector(${a}, ${b}, ${top.join(', ')});`);
      lines.line(`${b} = __builtin_shufflevector(${a}, ${b}, ${bottom.join(', ')});`);
      lines.line(`${a} = ${first};`);
    }
  }
}

function emitAssign(lines: Lines, stmt: Extract<Stmt, { kind: 'assign' }>, scope: Scope): void {
  const value = valueNamed(scope, stmt.value.name);
  const { lanes } = scope;
  if (lanes === undefined) {
    lines.line(`${registerName(stmt.register, stmt.at, scope, 0)} = ${operandOf(value, 0).text};`);
    return;
  }
  for (let copy = 0; copy < lanes.copies; copy++) {
    const text = inForm(lines.unit, stmt.register.dtype, lanes.form, operandOf(value, copy));
    lines.line(`${registerName(stmt.register, stmt.at, scope, copy)} = ${text};`);
  }
}

function emitIf(lines: Lines, guards: readonly Guard[], body: readonly Stmt[], scope: Scope): void {
  const condition = emitGuards(lines, guards, scope, 0);
  if (condition.inLanes) throw new Error('a branch differs between lanes');
  lines.block(`if ${condition.text} `, () => emitBody(lines, body, inner(scope, {})));
}

/** Prints one of several copies of a loop's body. Positions that it declares have one name in all of them, so it is a block of its own then. */
function emitCopy(lines: Lines, body: readonly Stmt[], scope: Scope): void {
  const declares = body.some(({ kind }) => kind === 'lookup' || kind === 'define');
  if (declares) lines.block('', () => emitBody(lines, body, inner(scope, {})));
  else emitBody(lines, body, scope);
}

/** Prints a loop over its whole range. */
function emitLoop(lines: Lines, loop: Loop, scope: Scope): void {
  if (loop.mark === 'vector') {
    emitVectorLoop(lines, loop, scope);
    return;
  }
  if (loop.mark === 'unroll') {
    const count = dimValue(loop.extent);
    if (count === undefined) throw new Error('a loop with a run-time extent cannot be unrolled');
    for (let i = 0; i < count; i++) {
      const positions = withKnown(scope, loop.index, dimConst(i));
      emitCopy(lines, loop.body, inner(scope, { positions, loads: scope.loads }));
    }
    return;
  }
  emitSerialLoop(lines, loop, scope, '0', positionText(loop.extent, scope.positions));
}

/** Prints the iterations `begin` … `end` - 1 of a loop that is not a vector loop. */
export function emitSerialLoop(lines: Lines, loop: Loop, scope: Scope, begin: string, end: string): void {
  const name = loopName(loop.index);
  const positions = withRange(scope, loop.index, loop.extent);
  const places = scope.places ?? (isProductLoop(loop) ? new Places(lines) : undefined);
  places?.enter(loop.index);
  lines.block(`for (int64_t ${name} = ${begin}; ${name} < ${end}; ${name}++) `, () =>
    emitBody(lines, loop.body, inner(scope, { positions, ...(places && { places }) })),
  );
}

/** The form of a vector loop: that of the fold which it shares out, or its own. */
function loopForm(lines: Lines, loop: Loop, scope: Scope): Form {
  for (const stmt of walk(loop.body)) {
    const fold = stmt.kind === 'fold' ? scope.folds.get(stmt.into) : undefined;
    if (fold?.isSplit === true) return fold.form;
  }
  return vectorForm(lines.unit.machine, widestBytes(loop));
}

/** Prints a vector loop. A short loop of constant extent is written out; the rest of others runs in fewer vectors and then in part of one. */
function emitVectorLoop(lines: Lines, loop: Loop, scope: Scope): void {
  const form = loopForm(lines, loop, scope);
  const extent = dimValue(loop.extent);
  scope.places?.enter(loop.index);
  if (loop.atMost !== undefined && extent === undefined) {
    const copies = Math.ceil(loop.atMost / form.lanes);
    const idle = dimConst((copies - 1) * form.lanes);
    const count = lines.fresh('count');
    lines.line(`const int64_t ${count} = ${positionText(dimSub(loop.extent, idle), scope.positions)};`);
    emitBlock(lines, loop, scope, { form, index: loop.index, copies, count }, 0);
    return;
  }
  if (extent === undefined) {
    lines.block('', () => emitVectorRange(lines, loop, scope, '0', positionText(loop.extent, scope.positions)));
    return;
  }
  const block = form.lanes * (loop.interleave ?? 1);
  const whole = Math.floor(extent / block);
  const name = loopName(loop.index);
  const positions = withRange(scope, loop.index, loop.extent);
  const lanes = { form, index: loop.index, copies: loop.interleave ?? 1 };
  const within = whole > 1 ? interior(loop, block, whole * block, scope) : { from: 0, to: 0 };
  const { from, to } = within;
  for (let start = 0; start < from; start += block) emitBlock(lines, loop, scope, lanes, start);
  if (from < to) {
    lines.block(`for (int64_t ${name} = ${from}; ${name} < ${to}; ${name} += ${block}) `, () =>
      emitBody(lines, loop.body, inner(scope, { positions, lanes: { ...lanes, within } })),
    );
  }
  for (let start = to; start < whole * block; start += block) emitBlock(lines, loop, scope, lanes, start);
  const rest = extent - whole * block;
  if (rest === 0) return;
  const last = rest % form.lanes;
  const copies = Math.ceil(rest / form.lanes);
  emitBlock(lines, loop, scope, { ...lanes, copies, ...(last === 0 ? {} : { count: String(last) }) }, whole * block);
}

/** Prints the lanes from a constant position on, without a loop. */
function emitBlock(lines: Lines, loop: Loop, scope: Scope, lanes: NonNullable<Scope['lanes']>, start: number): void {
  const positions = withKnown(scope, loop.index, dimConst(start));
  emitCopy(lines, loop.body, inner(scope, { positions, lanes, loads: scope.loads }));
}

/** Prints the iterations `begin` … `end` - 1 of a vector loop. */
export function emitVectorRange(lines: Lines, loop: Loop, scope: Scope, begin: string, end: string): void {
  const form = loopForm(lines, loop, scope);
  const name = loopName(loop.index);
  const positions = withRange(scope, loop.index, loop.extent);
  const extent = dimValue(loop.extent);
  const divides = (count: number): boolean => extent !== undefined && extent % count === 0;
  const emitVectors = (around: Scope, copies: number): void =>
    emitBody(lines, loop.body, inner(around, { positions, lanes: { form, index: loop.index, copies } }));
  const run = (copies: number): void => {
    const step = copies * form.lanes;
    lines.block(`for (; ${name} + ${step} <= ${end}; ${name} += ${step}) `, () => emitVectors(scope, copies));
  };
  const interleave = loop.interleave ?? 1;
  lines.line(`int64_t ${name} = ${begin};`);
  const store = pastStore(lines, loop, form);
  if (store !== undefined) {
    const past = { loop, store, block: interleave * form.lanes, end };
    emitPast(lines, past, { ...scope, positions }, (around) => emitVectors(around, interleave));
  }
  run(interleave);
  if (interleave > 1 && !divides(interleave * form.lanes)) run(1);
  if (divides(form.lanes)) return;
  lines.block(`if (${name} < ${end}) `, () => {
    const count = lines.fresh('count');
    lines.line(`const int64_t ${count} = ${end} - ${name};`);
    emitBody(lines, loop.body, inner(scope, { positions, lanes: { form, index: loop.index, copies: 1, count } }));
  });
}
