// Assignments: rebind a name, or give a leaf of the state its new value.

import { isFloat } from '../ir/dtype.js';
import type { Value } from '../ir/graph.js';
import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import { evaluate, evaluatePlace } from './evaluate.js';
import { Poisoned } from './failure.js';
import { binary } from './operators.js';
import type { Scope } from './scope.js';
import { isNumeric, restate, toTensor } from './tensors.js';
import { alignTrees, treeOf } from './trees.js';
import { type AccessRight, type Cell, describe, none, tensor, typeText, type Val } from './values.js';

const operators = { '+=': '+', '-=': '-', '*=': '*', '/=': '/' } as const;

export function assign(cx: Context, { target, operator, value }: ast.Assign, scope: Scope): void {
  const given = evaluate(cx, value, scope);
  const next = operator === '=' ? given : binary(cx, operators[operator], evaluate(cx, target, scope), given);
  if (target.kind === 'Name') assignName(cx, target.name, next, scope);
  else if (target.kind === 'Member') assignMember(cx, target, next, scope);
  // The parser has refused everything else.
  else throw new Poisoned();
}

function assignName(cx: Context, name: string, next: Val, scope: Scope): void {
  const found = scope.find(name);
  if (found === undefined) {
    cx.fail('E0412', {
      message: `\`${name}\` is assigned to but not declared`,
      help: `write \`let ${name} = …\` the first time`,
    });
  }
  const { binding, scope: home } = found;
  if (holdsState(binding.value)) assignPlace(cx, binding.value, next, name);
  else if (binding.role === 'field' || binding.role === 'constant' || binding.role === 'dimension') {
    cx.fail('E0412', { message: `\`${name}\` is a constant: it cannot be assigned to` });
  } else if (home.activation !== scope.activation) {
    cx.fail('E0412', {
      message: `\`${name}\` belongs to the function around this one: it cannot be assigned to here`,
      help: 'give the new value back as a result',
    });
  } else binding.value = cx.withoutGradient > 0 ? detached(cx, next) : next;
}

/** Whether a value is a leaf of the state or a tree of leaves. */
function holdsState(val: Val): boolean {
  if (val.kind === 'cell') return true;
  if (val.kind === 'list' || val.kind === 'tuple') return val.items.some(holdsState);
  return val.kind === 'record' && [...val.fields.values()].some(holdsState);
}

function assignMember(cx: Context, target: ast.Member, next: Val, scope: Scope): void {
  const { name } = target.name;
  const object = evaluatePlace(cx, target.object, scope);
  if (object.kind === 'model' || holdsState(object)) {
    assignPlace(cx, evaluatePlace(cx, target, scope), next, name);
    return;
  }
  if (object.kind !== 'record' || !object.fields.has(name)) {
    cx.fail('E0412', { message: `\`${name}\` of ${describe(object)} cannot be assigned to` });
  }
  // A record is a value: the name that holds it is bound to one with another field.
  const changed: Val = { kind: 'record', fields: new Map(object.fields).set(name, next) };
  if (target.object.kind === 'Name') assignName(cx, target.object.name, changed, scope);
  else if (target.object.kind === 'Member') assignMember(cx, target.object, changed, scope);
  else cx.fail('E0412', { message: 'this cannot be assigned to' });
}

/** Writes to a leaf of the state, or to all leaves of a tree. */
function assignPlace(cx: Context, place: Val, next: Val, name: string): void {
  if (place.kind === 'cell') {
    assignCell(cx, place.cell, place.access, next);
    return;
  }
  if (place.kind === 'model' || !holdsState(place)) {
    cx.fail('E0412', { message: `\`${name}\` is not a tensor of the state: it cannot be assigned to` });
  }
  alignTrees(cx, [treeOf(cx, place), treeOf(cx, next)], [name, 'the new value'], (_, [leaf, value]) => {
    if (leaf?.kind === 'cell' && value !== undefined) assignCell(cx, leaf.cell, leaf.access, value);
    return none;
  });
}

function assignCell(cx: Context, cell: Cell, access: AccessRight, next: Val): void {
  const isAllowed = access === 'write' || (access === 'effects' && cell.role === 'buffer');
  if (!isAllowed) {
    const root = cell.path.split('.')[0];
    cx.fail('E0401', {
      message: `\`${cell.path}\` cannot be assigned to here`,
      label: `\`${root}\` is not \`mut\` here`,
      help: `declare the parameter: \`${root}: mut …\``,
    });
  }
  const value = settled(next);
  const fits = isNumeric(value) && (value.kind !== 'tensor' || value.value.type.dtype === cell.type.dtype);
  if (!isNumeric(value) || !fits) {
    cx.fail('E0305', {
      message: `\`${cell.path}\` is ${typeText(cell.type)}, and the new value is ${describe(value)}`,
    });
  }
  const plain = sized(cx, toTensor(cx, value, cell.type.dtype), cell);
  cx.frame.assign(
    cell,
    cx.withoutGradient > 0 && isFloat(plain.type.dtype) ? cx.b.elementwise('stop_gradient', [plain]) : plain,
  );
}

const settled = (val: Val): Val => (val.kind === 'cell' ? tensor(val.cell.value) : val);

function sized(cx: Context, value: Value, cell: Cell): Value {
  const { shape } = cell.type;
  const own = value.type.shape;
  if (own.length === 0) return cx.b.broadcastTo(value, shape);
  const same =
    own.length === shape.length &&
    own.every((size, i) => cx.sameSize(size, shape[i] ?? size, `\`${cell.path}\` keeps its shape`));
  if (same) return restate(cx, value, shape);
  return cx.fail('E0302', {
    message: `\`${cell.path}\` is ${typeText(cell.type)}, and the new value is ${typeText(value.type)}`,
  });
}

/** A value whose tensors are constants for derivatives. */
export function detached(cx: Context, val: Val): Val {
  switch (val.kind) {
    case 'tensor':
      return isFloat(val.value.type.dtype) ? tensor(cx.b.elementwise('stop_gradient', [val.value])) : val;
    case 'list':
    case 'tuple':
      return { ...val, items: val.items.map((item) => detached(cx, item)) };
    case 'record':
      return { ...val, fields: new Map([...val.fields].map(([name, field]) => [name, detached(cx, field)])) };
    default:
      return val;
  }
}
