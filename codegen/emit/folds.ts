// Prints folds. Their state is in C variables: single values, vectors of an outer vector loop, or vectors among whose lanes an inner
// vector loop shares out the fold; those are joined afterwards in a fixed order, so that results do not depend on anything but shapes.

import type { DType } from '../../compiler/ir/dtype.js';
import type { Scalar } from '../../compiler/ir/scalar.js';
import { type Accumulate, type Loop, type Stmt, walk } from '../kernel/ir.js';
import { widestBytes } from '../kernel/schedule/lanes.js';
import {
  activeLanes,
  type FoldState,
  inner,
  type Lines,
  operandOf,
  type Scope,
  type Value,
  valueNamed,
} from './context.js';
import { ALWAYS, emitGuards } from './guards.js';
import { lanesFrom } from './memory.js';
import { selectText } from './operators.js';
import { emitScalars, inForm, named, type Operand } from './scalar.js';
import { computeType, type Form, scalarForm, vectorForm } from './types.js';

type EmitBody = (lines: Lines, body: readonly Stmt[], scope: Scope) => void;

/** Prints an `accumulate`: state, body, and what remains of the state afterwards. */
export function emitAccumulate(lines: Lines, stmt: Accumulate, scope: Scope, emitBody: EmitBody): void {
  const state = declareState(lines, stmt, scope);
  const folds = new Map([...scope.folds, [stmt.name, state]]);
  emitBody(lines, stmt.body, inner(scope, { folds }));
  finishFold(lines, stmt, state, scope);
}

/** Defines the results of an `accumulate` from the state after its last step. */
export function finishFold(lines: Lines, stmt: Accumulate, state: FoldState, scope: Scope): void {
  const copies = state.isSplit ? [joinLanes(lines, state)] : state.variables;
  const form = state.isSplit ? scalarForm : state.form;
  const results = copies.map((variables) => {
    const operands = variables.map((text): Operand => ({ text, inLanes: form.lanes > 1 }));
    return formed(lines, stmt.fold.finish, operands, form).map(({ text }) => text);
  });
  stmt.results.forEach((temp, i) => {
    const value: Value = { texts: results.map((texts) => texts[i] as string), inLanes: form.lanes > 1 };
    scope.values.set(temp.name, value);
  });
}

/** Scalar expressions over the same operands, all results named and in the form. */
function formed(lines: Lines, scalars: readonly Scalar[], operands: readonly Operand[], form: Form): Operand[] {
  return emitScalars(lines, scalars, operands, form).map((result, i) => {
    const { dtype } = scalars[i] as Scalar;
    return named(lines, dtype, form, { text: inForm(lines.unit, dtype, form, result), inLanes: form.lanes > 1 });
  });
}

/** Declares and initialises the state of a fold. */
export function declareState(lines: Lines, stmt: Accumulate, scope: Scope): FoldState {
  const inside = [...walk(stmt.body)].filter(
    (part): part is Loop => part.kind === 'for' && part.mark === 'vector' && foldsInto(part, stmt.name),
  );
  const isSplit = scope.lanes === undefined && inside.length > 0;
  const bytes = Math.max(...inside.map((loop) => widestBytes(loop, [stmt])));
  const form = isSplit ? vectorForm(lines.unit.machine, bytes) : (scope.lanes?.form ?? scalarForm);
  const copies = isSplit ? Math.max(...inside.map((loop) => loop.interleave ?? 1)) : (scope.lanes?.copies ?? 1);
  const start = emitScalars(lines, stmt.fold.init, [], form);
  const variables = Array.from({ length: copies }, () =>
    stmt.fold.state.map((dtype, i) => {
      const name = lines.fresh('s');
      const type = computeType(lines.unit, dtype, form);
      lines.line(`${type} ${name} = ${inForm(lines.unit, dtype, form, start[i] as Operand)};`);
      return name;
    }),
  );
  return { accumulate: stmt, form, variables, isSplit };
}

const foldsInto = (loop: Loop, name: string): boolean =>
  [...walk(loop.body)].some((stmt) => stmt.kind === 'fold' && stmt.into === name);

/** Prints one step of a fold. */
export function emitFold(lines: Lines, stmt: Extract<Stmt, { kind: 'fold' }>, scope: Scope): void {
  const state = scope.folds.get(stmt.into);
  if (state === undefined) throw new Error(`the fold ${stmt.into} is not open`);
  const { form, variables, accumulate } = state;
  const copies = scope.lanes === undefined ? 1 : scope.lanes.copies;
  for (let copy = 0; copy < copies; copy++) {
    const guards = emitGuards(lines, stmt.guards, scope, copy);
    const hasGuards = stmt.guards.length > 0 && guards.text !== ALWAYS;
    const count = state.isSplit && scope.lanes !== undefined ? activeLanes(scope.lanes, copy) : undefined;
    const masks = [
      ...(hasGuards && guards.inLanes ? [guards.text] : []),
      ...(count === undefined ? [] : [lanesFrom(lines.unit, form, `${count} - 1`, -1)]),
    ];
    const step = (): void => {
      const old = variables[copy] as readonly string[];
      const operands: Operand[] = [
        ...old.map((text) => ({ text, inLanes: form.lanes > 1 })),
        ...stmt.args.map((arg) => operandOf(valueNamed(scope, arg.name), copy)),
      ];
      const next = formed(lines, accumulate.fold.step, operands, form);
      old.forEach((variable, i) => {
        const dtype = accumulate.fold.state[i] as DType;
        const value = (next[i] as Operand).text;
        const text =
          masks.length === 0 ? value : selectText(lines.unit, dtype, form, masks.join(' & '), value, variable);
        lines.line(`${variable} = ${text};`);
      });
    };
    if (hasGuards && !guards.inLanes) lines.block(`if ${guards.text} `, step);
    else step();
  }
}

/** Joins the copies, then the lanes, pair by pair; returns single values. */
function joinLanes(lines: Lines, state: FoldState): readonly string[] {
  const { form } = state;
  let copies = state.variables;
  while (copies.length > 1) {
    const pairs: (readonly string[])[] = [];
    for (let i = 0; i < copies.length; i += 2) {
      const right = copies[i + 1];
      pairs.push(
        right === undefined
          ? (copies[i] as readonly string[])
          : merged(lines, state, copies[i] as readonly string[], right),
      );
    }
    copies = pairs;
  }
  let joined = copies[0] as readonly string[];
  for (let distance = form.lanes / 2; distance >= 1; distance /= 2) {
    const picks = Array.from({ length: form.lanes }, (_, lane) => (lane + distance) % form.lanes).join(', ');
    const moved = joined.map((text) => `__builtin_shufflevector(${text}, ${text}, ${picks})`);
    const names = moved.map(
      (text, i) => named(lines, state.accumulate.fold.state[i] as DType, form, { text, inLanes: true }).text,
    );
    joined = merged(lines, state, joined, names);
  }
  return joined.map((text, i) => {
    const dtype = state.accumulate.fold.state[i] as DType;
    return dtype === 'bool' ? `(${text}[0] != 0)` : `${text}[0]`;
  });
}

function merged(
  lines: Lines,
  { accumulate, form }: FoldState,
  left: readonly string[],
  right: readonly string[],
): readonly string[] {
  const operands = [...left, ...right].map((text): Operand => ({ text, inLanes: true }));
  return formed(lines, accumulate.fold.merge, operands, form).map(({ text }) => text);
}
