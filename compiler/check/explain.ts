// What the operands of an expression are that failed: their types, and where they come from, as notes of the diagnostic.

import type { DiagnosticCode } from '../diagnostics/catalogue.js';
import type { Diagnostic, Note } from '../diagnostics/report.js';
import { type Position, positionAt } from '../diagnostics/source.js';
import type * as ast from '../syntax/ast.js';
import { Failure } from './failure.js';
import { fieldOf, type Scope } from './scope.js';
import { describe, type Site, type Val } from './values.js';

/** Errors about shapes, dtypes and trees, which are understood only with the types of the operands. */
const aboutOperands: ReadonlySet<DiagnosticCode> = new Set([
  'E0301',
  'E0302',
  'E0303',
  'E0304',
  'E0305',
  'E0308',
  'E0309',
  'E0310',
  'E0311',
  'E0312',
  'E0313',
  'E0314',
  'E0315',
  'E0321',
  'E0325',
  'E0501',
  'E0502',
  'E0504',
]);

/** Evaluates an expression of the program; a failure of it is given notes on what its operands are. */
export function explained<T>(expr: ast.Expr, scope: Scope, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof Failure) || error.isExplained || !concerns(error.diagnostic, expr, scope)) throw error;
    const { diagnostic } = error;
    throw new Failure({ ...diagnostic, notes: [...operandNotes(diagnostic, expr, scope), ...diagnostic.notes] }, true);
  }
}

const concerns = ({ code, source, span }: Diagnostic, expr: ast.Expr, scope: Scope): boolean =>
  aboutOperands.has(code) && source === scope.unit.source && expr.span.start <= span.start && span.end <= expr.span.end;

/** A note for each operand that has a name and whose declaration the frame of the code does not show. */
function operandNotes({ source, span }: Diagnostic, expr: ast.Expr, scope: Scope): readonly Note[] {
  const shown = [positionAt(source, span.start), positionAt(source, span.end)] as const;
  const texts = new Set<string>();
  return operandsOf(expr).flatMap((operand): Note[] => {
    // An error at one operand is about that one.
    const isMeant =
      (span.start === expr.span.start && span.end === expr.span.end) ||
      (operand.span.start <= span.start && span.end <= operand.span.end);
    const named = isMeant ? resolve(operand, scope) : undefined;
    if (named === undefined) return [];
    const { value, site } = named;
    const text = `\`${scope.unit.source.text.slice(operand.span.start, operand.span.end)}\` is ${describe(value)}`;
    if (texts.has(text) || site === undefined || isShown(site, source, shown)) return [];
    texts.add(text);
    return [{ text, ...site }];
  });
}

const isShown = (site: Site, source: Site['source'], [first, last]: readonly [Position, Position]): boolean => {
  const { line } = positionAt(site.source, site.span.start);
  return site.source === source && first.line <= line && line <= last.line;
};

function operandsOf(expr: ast.Expr): readonly ast.Expr[] {
  switch (expr.kind) {
    case 'Binary':
      return [expr.left, expr.right];
    case 'Unary':
      return [expr.operand];
    case 'Index':
      return [
        expr.object,
        ...expr.items.filter((item): item is ast.Expr => item.kind !== 'Slice' && item.kind !== 'Ellipsis'),
      ];
    case 'Pipe':
      return [expr.value, ...operandsOf(expr.target)];
    case 'Call': {
      const args = expr.args.map(({ value }) => value);
      const receiver = expr.callee.kind === 'Member' ? [expr.callee.object] : [];
      return [
        ...receiver,
        ...args.flatMap((arg) => (arg.kind === 'List' || arg.kind === 'Tuple' ? arg.elements : [arg])),
      ];
    }
    default:
      return [];
  }
}

interface Named {
  readonly value: Val;
  /** Where it is declared. */
  readonly site: Site | undefined;
}

/** What a name, or a field of what a name holds, stands for. Functions and compile-time values explain nothing. */
function resolve(expr: ast.Expr, scope: Scope): Named | undefined {
  const found =
    expr.kind === 'Name'
      ? resolveName(expr.name, scope)
      : expr.kind === 'Member'
        ? resolveField(expr, scope)
        : undefined;
  return found;
}

function resolveName(name: string, scope: Scope): Named | undefined {
  const found = scope.find(name);
  if (found === undefined) return undefined;
  const { value, site, role } = found.binding;
  const owner = found.scope.self?.instance;
  const declared =
    role === 'field' ? owner?.model.fields.find((field) => 'name' in field && field.name.name === name) : undefined;
  const fieldSite = owner && declared && { source: owner.unit.source, span: declared.span };
  return isTelling(value) ? { value, site: site ?? fieldSite } : undefined;
}

function resolveField(expr: ast.Member, scope: Scope): Named | undefined {
  const object = anyValue(expr.object, scope);
  if (object?.kind === 'model') {
    const value = fieldOf(object, expr.name.name);
    const { model, unit } = object.instance;
    const declared = model.fields.find((field) => 'name' in field && field.name.name === expr.name.name);
    return value && isTelling(value)
      ? { value, site: declared && { source: unit.source, span: declared.span } }
      : undefined;
  }
  return undefined;
}

function anyValue(expr: ast.Expr, scope: Scope): Val | undefined {
  if (expr.kind === 'Name') return scope.find(expr.name)?.binding.value;
  if (expr.kind !== 'Member') return undefined;
  const object = anyValue(expr.object, scope);
  return object?.kind === 'model' ? fieldOf(object, expr.name.name) : undefined;
}

const isTelling = (value: Val): boolean =>
  value.kind === 'tensor' || value.kind === 'cell' || value.kind === 'tuple' || value.kind === 'record';
