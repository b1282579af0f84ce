// Prints the expressions of the kernel IR.

import { dimAdd, dimConst, dimNeg, dimSub, dimSymbol, dimValue } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import {
  type Expr,
  exprPositions,
  exprTemps,
  exprType,
  type Guard,
  type Position,
  type Register,
} from '../kernel/ir.js';
import { coefficient, stride } from '../kernel/positions.js';
import {
  activeLanes,
  copyPositions,
  type Lines,
  operandOf,
  type Scope,
  type Value,
  variesInLanes,
  withKnown,
} from './context.js';
import { floatInstruction } from './intrinsics.js';
import { fromStorage, lanesFrom, loadStrided, loadVector, loadWindow, positionValue, rampText } from './memory.js';
import { selectText } from './operators.js';
import { guardsText, guardText, positionText, resolved } from './positions.js';
import { emitScalar, inForm, named } from './scalar.js';
import { computeElement, computeType, type Form, maskType, scalarForm, storageType, storageVector } from './types.js';

type Load = Extract<Expr, { kind: 'load' }>;

/** Computes an expression into named C values. */
export function emitExpr(lines: Lines, expr: Expr, scope: Scope): Value {
  const inLanes =
    expr.kind === 'register' ||
    exprPositions(expr).some((position) => variesInLanes(position, scope)) ||
    exprTemps(expr).some((temp) => scope.values.get(temp.name)?.inLanes === true);
  if (!inLanes || scope.lanes === undefined) return emitCopy(lines, expr, scope, 0, scalarForm);
  const copies = Array.from({ length: scope.lanes.copies }, (_, copy) =>
    emitCopy(lines, expr, scope, copy, (scope.lanes as { form: Form }).form),
  );
  return { texts: copies.map((copy) => copy.texts[0] as string), inLanes: true };
}

function emitCopy(lines: Lines, expr: Expr, scope: Scope, copy: number, form: Form): Value {
  const { unit } = lines;
  const dtype = exprType(expr);
  const inLanes = form.lanes > 1;
  const single = (text: string): Value => {
    const operand = named(lines, dtype, form, { text, inLanes });
    return { texts: [operand.text], inLanes };
  };
  const operand = (name: string) => operandOf(valueNamed(scope, name), copy);
  const formed = (temp: { readonly name: string; readonly dtype: DType }): string =>
    inForm(unit, temp.dtype, form, operand(temp.name));
  switch (expr.kind) {
    case 'load':
      return { texts: [emitLoad(lines, expr, scope, copy, form)], inLanes };
    case 'position':
      return single(
        inLanes
          ? positionLanes(lines, expr.value, dtype, scope, copy)
          : positionValue(unit, dtype, positionText(expr.value, scope.positions)),
      );
    case 'scalar': {
      const result = emitScalar(
        lines,
        expr.body,
        expr.args.map((arg) => operand(arg.name)),
        form,
      );
      if (result.isLiteral === true) return { texts: [result.text], inLanes: false, isLiteral: true };
      const name = named(lines, dtype, form, result);
      return { texts: [name.text], inLanes: name.inLanes };
    }
    case 'muladd': {
      const [a, b, c] = [formed(expr.a), formed(expr.b), formed(expr.c)];
      const element = computeElement(dtype, form);
      const isFloat = element === 'f32' || element === 'f64';
      const fused = isFloat && inLanes ? floatInstruction(unit, 'fma', element, form.lanes, [a, b, c]) : undefined;
      return single(fused ?? `${a} * ${b} + ${c}`);
    }
    case 'choose': {
      const mask = emitGuards(lines, expr.guards, scope, copy);
      const [a, b] = [formed(expr.accepted), formed(expr.otherwise)];
      if (!mask.inLanes) return single(`${mask.text} ? ${a} : ${b}`);
      return single(selectText(unit, dtype, form, mask.text, a, b));
    }
    case 'register':
      return single(registerName(expr.register, expr.at, scope, copy));
  }
}

/** The text of a value that is in scope. */
export function valueNamed(scope: Scope, name: string): Value {
  const value = scope.values.get(name);
  if (value === undefined) throw new Error(`the value ${name} is used outside of its loop`);
  return value;
}

/** The C variable of a register: in lanes the number of the vector stands for the lane. */
export function registerName(register: Register, at: readonly Position[], scope: Scope, copy: number): string {
  const parts = at.map((position) => {
    if (variesInLanes(position, scope)) return copy;
    const value = dimValue(resolved(position, scope.positions));
    if (value === undefined)
      throw new Error(`the register ${register.name} is used at a position that is not constant`);
    return value;
  });
  const base = valueNamed(scope, register.name).texts[0];
  return [base, ...(parts.length === 0 && scope.lanes !== undefined ? [copy] : parts)].join('_');
}

/** Guards as a condition: of a C statement, or a mask where they differ between lanes. */
export function emitGuards(
  lines: Lines,
  guards: readonly Guard[],
  scope: Scope,
  copy: number,
): { readonly text: string; readonly inLanes: boolean } {
  const varying = guards.filter((guard) => variesInLanes(guard.value, scope));
  const uniform = guards.filter((guard) => !variesInLanes(guard.value, scope));
  const positions = copyPositions(scope, copy);
  const { lanes } = scope;
  if (varying.length === 0 || lanes === undefined)
    return { text: `(${guardsText(uniform, positions)})`, inLanes: false };
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
  const step = stride(guard.value, lanes.index);
  if (guard.kind === 'nonnegative' && step !== undefined) {
    return lanesFrom(lines.unit, lanes.form, positionText(guard.value, positions), step);
  }
  return eachLane(lines, maskType(lines.unit, lanes.form), scope, copy, (lane) => `-(${guardText(guard, lane)})`);
}

/** A vector computed lane by lane; inactive lanes are 0. */
function eachLane(
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

function positionLanes(lines: Lines, position: Position, dtype: DType, scope: Scope, copy: number): string {
  const lanes = scope.lanes as NonNullable<Scope['lanes']>;
  const positions = copyPositions(scope, copy);
  const step = coefficient(position, lanes.index);
  if (step !== undefined) {
    return rampText(lines.unit, dtype, lanes.form, positionText(position, positions), positionText(step, positions));
  }
  const type = computeType(lines.unit, dtype, lanes.form);
  return eachLane(lines, type, scope, copy, (lane) => positionValue(lines.unit, dtype, positionText(position, lane)));
}

function emitLoad(lines: Lines, load: Load, scope: Scope, copy: number, form: Form): string {
  const text = loadText(lines, load, scope, copy, form);
  const known = scope.loads.get(text);
  if (known !== undefined) return known;
  const { text: name } = named(lines, load.buffer.dtype, form, { text, inLanes: form.lanes > 1 });
  scope.loads.set(text, name);
  return name;
}

function loadText(lines: Lines, { buffer, offset, guards }: Load, scope: Scope, copy: number, form: Form): string {
  const { unit } = lines;
  const positions = copyPositions(scope, copy);
  const name = lines.bufferName(buffer);
  const { lanes } = scope;
  if (form.lanes === 1 || lanes === undefined) {
    const read = fromStorage(unit, buffer.dtype, scalarForm, `${name}[${positionText(offset, positions)}]`);
    return guards.length === 0 ? read : `${guardsText(guards, positions)} ? ${read} : 0`;
  }
  const uniform = guards.filter((guard) => !variesInLanes(guard.value, scope));
  const varying = guards.filter((guard) => variesInLanes(guard.value, scope));
  const vector = loadLanes(lines, name, buffer.dtype, offset, varying, scope, copy);
  if (uniform.length === 0) return vector;
  const zero = `(${computeType(unit, buffer.dtype, form)}){0}`;
  return `${guardsText(uniform, positions)} ? ${vector} : ${zero}`;
}

function loadLanes(
  lines: Lines,
  name: string,
  dtype: DType,
  offset: Position,
  guards: readonly Guard[],
  scope: Scope,
  copy: number,
): string {
  const { unit } = lines;
  const lanes = scope.lanes as NonNullable<Scope['lanes']>;
  const { form, index } = lanes;
  const positions = copyPositions(scope, copy);
  const count = activeLanes(lanes, copy);
  const pointer = `${name} + (${positionText(offset, positions)})`;
  const step = coefficient(offset, index);
  const constant = step === undefined ? undefined : dimValue(step);
  if (guards.length > 0) {
    const window = constant === 1 ? windowText(guards, scope, copy) : undefined;
    if (window !== undefined) {
      const [low, high] = [lines.fresh(), lines.fresh()];
      lines.line(`const int64_t ${low} = ${window.low}, ${high} = ${window.high};`);
      return `${low} < ${high} ? ${loadWindow(unit, dtype, form, pointer, low, high)} : (${computeType(unit, dtype, form)}){0}`;
    }
  } else if (step !== undefined) {
    if (constant === 1)
      return count === undefined
        ? loadVector(unit, dtype, form, pointer)
        : loadWindow(unit, dtype, form, pointer, '0', count);
    if (constant === 0) throw new Error('a load in lanes does not move');
    return loadStrided(unit, dtype, form, pointer, positionText(step, positions), count);
  }
  const type = storageVector(unit, dtype, form.lanes);
  const zero = `(${storageType(dtype)})0`;
  const gathered = eachLane(lines, type, scope, copy, (lane) => {
    const read = `${name}[${positionText(offset, lane)}]`;
    return guards.length === 0 ? read : `${guardsText(guards, lane)} ? ${read} : ${zero}`;
  });
  return fromStorage(unit, dtype, form, gathered);
}

/** The lanes low ≤ lane < high in which all guards hold, where they have that form. */
function windowText(
  guards: readonly Guard[],
  scope: Scope,
  copy: number,
): { readonly low: string; readonly high: string } | undefined {
  const lanes = scope.lanes as NonNullable<Scope['lanes']>;
  const positions = copyPositions(scope, copy);
  let low = '0';
  let high = activeLanes(lanes, copy) ?? String(lanes.form.lanes);
  for (const guard of guards) {
    const step = stride(guard.value, lanes.index);
    if (guard.kind !== 'nonnegative' || (step !== 1 && step !== -1)) return undefined;
    // At lane l the guard's value is what it is at lane 0, plus or minus l.
    const start = resolved(guard.value, positions);
    if (step === 1) low = `tdsl_max(${low}, ${positionText(dimNeg(start), positions)})`;
    else high = `tdsl_min(${high}, ${positionText(dimSub(start, dimConst(-1)), positions)})`;
  }
  return { low, high };
}
