// Prints the expressions of the kernel IR.

import { dimConst, dimSubstitute, dimValue } from '../../compiler/ir/dims.js';
import { type DType, dtypeKind } from '../../compiler/ir/dtype.js';
import { type Expr, exprPositions, exprTemps, exprType, type Position, type Register } from '../kernel/ir.js';
import { coefficient } from '../kernel/positions.js';
import { lanePattern } from '../kernel/schedule/lanes.js';
import { copyPositions, type Lines, operandOf, type Scope, type Value, valueNamed, variesInLanes } from './context.js';
import { eachLane, emitGuards, unrolled } from './guards.js';
import { floatInstruction } from './intrinsics.js';
import { emitLoad } from './loads.js';
import { positionValue, rampText } from './memory.js';
import { selectText, splatText } from './operators.js';
import { positionText, resolved } from './positions.js';
import { emitRandom } from './random.js';
import { emitScalar, inForm, named } from './scalar.js';
import { computeElement, computeType, type Form, scalarForm } from './types.js';

/** Computes an expression into named C values. */
export function emitExpr(lines: Lines, expr: Expr, scope: Scope): Value {
  const inLanes =
    expr.kind === 'register' ||
    exprPositions(expr).some((position) => variesInLanes(position, scope)) ||
    exprTemps(expr).some((temp) => scope.values.get(temp.name)?.inLanes === true);
  if (expr.kind === 'random') return { texts: emitRandom(lines, expr, scope, inLanes), inLanes };
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
    case 'random':
      throw new Error('random bits are printed for all copies together');
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

/** The C variable of a register: in lanes the number of the vector, of those from where the lanes begin, stands for the lane. */
export function registerName(register: Register, at: readonly Position[], scope: Scope, copy: number): string {
  const constant = (position: Position): number => {
    const value = dimValue(resolved(position, scope.positions));
    if (value === undefined)
      throw new Error(`the register ${register.name} is used at a position that is not constant`);
    return value;
  };
  const parts = at.map((position) => {
    if (scope.lanes === undefined || !variesInLanes(position, scope)) return constant(position);
    const { index, form } = scope.lanes;
    return constant(dimSubstitute(position, new Map([[index, dimConst(0)]]))) / form.lanes + copy;
  });
  const base = valueNamed(scope, register.name).texts[0];
  return [base, ...(parts.length === 0 && scope.lanes !== undefined ? [copy] : parts)].join('_');
}

function positionLanes(lines: Lines, position: Position, dtype: DType, scope: Scope, copy: number): string {
  const lanes = scope.lanes as NonNullable<Scope['lanes']>;
  const positions = copyPositions(scope, copy);
  const step = coefficient(position, lanes.index);
  if (step !== undefined) {
    return rampText(lines.unit, dtype, lanes.form, positionText(position, positions), positionText(step, positions));
  }
  const pattern = lanePattern(unrolled(position, scope), lanes.index, lanes.form.lanes);
  const type = computeType(lines.unit, dtype, lanes.form);
  if (pattern !== undefined && dtypeKind(dtype) === 'int') {
    const start = positionValue(lines.unit, dtype, positionText(pattern.start, positions));
    return `(${splatText(lines.unit, dtype, lanes.form, start)} + (${type}){${pattern.deltas.join(', ')}})`;
  }
  return eachLane(lines, type, scope, copy, (lane) => positionValue(lines.unit, dtype, positionText(position, lane)));
}
