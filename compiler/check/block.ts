// Blocks and their statements. An error ends its statement: the names that it defines are poisoned, and the next one goes on.

import type * as ast from '../syntax/ast.js';
import { assign } from './assign.js';
import type { Context, Expected } from './context.js';
import { evaluate } from './evaluate.js';
import { Failure, Poisoned } from './failure.js';
import { indexDefinition } from './index-expression.js';
import { iterate } from './loops.js';
import { Matcher, textOf } from './match.js';
import { bindPattern, namesOf } from './patterns.js';
import type { Scope } from './scope.js';
import { leaves, treeOf } from './trees.js';
import { none, poison, type Val } from './values.js';

/** Runs the statements of a block in a scope of its own and gives its value. `expected` is the shape that a final index definition has. */
export function block(cx: Context, node: ast.Block, scope: Scope, expected?: Expected): Val {
  let isSound = true;
  let last: Val = none;
  node.statements.forEach((statement, at) => {
    const isLast = at === node.statements.length - 1 && node.value === undefined;
    const done = guarded(cx, scope, statement, () => {
      const value = execute(cx, statement, scope, isLast ? expected : undefined);
      if (isLast && statement.kind === 'IndexDefinition') last = value;
    });
    if (!done && isLast) isSound = false;
  });
  if (!isSound) throw new Poisoned();
  const { value } = node;
  return value === undefined ? last : evaluate(cx, value, scope);
}

/** Runs a statement; an error in the program's own text is reported here. False when there was one. */
function guarded(cx: Context, scope: Scope, statement: ast.Statement, body: () => void): boolean {
  try {
    body();
    return true;
  } catch (error) {
    const isOurs = error instanceof Poisoned || error instanceof Failure;
    if (!isOurs || scope.unit.isLibrary) throw error;
    if (error instanceof Failure) cx.report(error.diagnostic);
    poisonNames(statement, scope);
    return false;
  }
}

/** What a failed statement would have defined stands for an error that was reported. */
function poisonNames(statement: ast.Statement, scope: Scope): void {
  if (statement.kind === 'Let')
    for (const name of namesOf(statement.pattern)) scope.define(name, { value: poison, role: 'variable' });
  if (statement.kind === 'IndexDefinition') scope.define(statement.name.name, { value: poison, role: 'variable' });
  if (statement.kind !== 'Assign' || statement.target.kind !== 'Name') return;
  const binding = scope.find(statement.target.name)?.binding;
  if (binding === undefined) scope.define(statement.target.name, { value: poison, role: 'variable' });
  if (binding?.role === 'variable' && binding.value.kind !== 'cell') binding.value = poison;
}

function execute(cx: Context, statement: ast.Statement, scope: Scope, expected: Expected | undefined): Val {
  switch (statement.kind) {
    case 'Let': {
      const since = cx.frame.nodes.length;
      const value = letValue(cx, statement, scope);
      if (!scope.unit.isLibrary) nameValues(cx, statement.pattern, value, since);
      cx.at(scope.unit, statement.span, () => bindPattern(cx, statement.pattern, value, scope, 'variable'));
      return none;
    }
    case 'Assign':
      cx.at(scope.unit, statement.span, () => assign(cx, statement, scope));
      return none;
    case 'IndexDefinition': {
      const since = cx.frame.nodes.length;
      const value = cx.at(scope.unit, statement.span, () => indexDefinition(cx, statement, scope, expected));
      if (!scope.unit.isLibrary && value.kind === 'tensor') cx.frame.rename(value.value, statement.name.name, since);
      const site = { source: scope.unit.source, span: statement.name.span };
      scope.define(statement.name.name, { value, role: 'variable', site });
      return value;
    }
    case 'For':
      for (const item of cx.at(scope.unit, statement.iterable.span, () =>
        iterate(cx, evaluate(cx, statement.iterable, scope)),
      )) {
        const inner = scope.block();
        cx.at(scope.unit, statement.pattern.span, () => bindPattern(cx, statement.pattern, item, inner, 'variable'));
        block(cx, statement.body, inner);
      }
      return none;
    default:
      return evaluate(cx, statement, scope);
  }
}

/** Gives the nodes that a `let` made the names that it introduces: `h`, and `g.fc1.weight` for a leaf of a tree `g`. */
function nameValues(cx: Context, pattern: ast.Pattern, value: Val, since: number): void {
  if (pattern.kind === 'TuplePattern' && (value.kind === 'tuple' || value.kind === 'list')) {
    for (const [i, element] of pattern.elements.entries()) {
      const part = value.items[i];
      if (part !== undefined) nameValues(cx, element, part, since);
    }
  }
  if (pattern.kind !== 'NamePattern' || pattern.name.name === '_') return;
  for (const { path, value: leaf } of leaves(treeOf(cx, value))) {
    if (leaf.kind !== 'tensor') continue;
    cx.frame.rename(leaf.value, path === '' ? pattern.name.name : `${pattern.name.name}.${path}`, since);
  }
}

/** The value of a `let`, of the type that it states. */
export function letValue(
  cx: Context,
  { type, value }: { readonly type?: ast.Type; readonly value: ast.Expr },
  scope: Scope,
): Val {
  const found = evaluate(cx, value, scope);
  if (type === undefined) return found;
  const matcher = new Matcher(cx, scope, new Map());
  const result = matcher.match(type, found, `\`${textOf(scope, value)}\``, {
    source: scope.unit.source,
    span: value.span,
  });
  matcher.finish();
  return result;
}
