// Patterns: names, tuples and records on the left of `let`, in loops and as parameters of lambdas.

import type * as ast from '../syntax/ast.js';
import type { Context } from './context.js';
import type { Binding, Scope } from './scope.js';
import { describe, type Val } from './values.js';

/** Binds the names of a pattern to the parts of a value. */
export function bindPattern(cx: Context, pattern: ast.Pattern, value: Val, scope: Scope, role: Binding['role']): void {
  const site = { source: scope.unit.source, span: pattern.span };
  switch (pattern.kind) {
    case 'NamePattern':
      scope.define(pattern.name.name, { value, role, site });
      return;
    case 'TuplePattern': {
      const items = value.kind === 'tuple' || value.kind === 'list' ? value.items : undefined;
      if (items === undefined || items.length !== pattern.elements.length) {
        cx.fail('E0323', { message: `${pattern.elements.length} names stand for ${describe(value)}`, site });
      }
      for (const [i, element] of pattern.elements.entries()) bindPattern(cx, element, items[i] as Val, scope, role);
      return;
    }
    case 'RecordPattern':
      for (const field of pattern.fields) {
        const { name, span } = field.name;
        const part = value.kind === 'record' ? value.fields.get(name) : undefined;
        if (part === undefined)
          cx.fail('E0323', { message: `${describe(value)} has no field \`${name}\``, site: { ...site, span } });
        if (field.pattern === undefined) scope.define(name, { value: part, role, site: { ...site, span } });
        else bindPattern(cx, field.pattern, part, scope, role);
      }
      return;
    case 'Error':
  }
}

/** The names that a pattern binds. */
export function namesOf(pattern: ast.Pattern): readonly string[] {
  switch (pattern.kind) {
    case 'NamePattern':
      return [pattern.name.name];
    case 'TuplePattern':
      return pattern.elements.flatMap(namesOf);
    case 'RecordPattern':
      return pattern.fields.flatMap((field) =>
        field.pattern === undefined ? [field.name.name] : namesOf(field.pattern),
      );
    case 'Error':
      return [];
  }
}
