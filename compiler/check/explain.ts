// What the operands of an expression are that failed: their types, and where they come from, as notes of the diagnostic.

import type { DiagnosticCode } from '../diagnostics/catalogue.js';
import type { Diagnostic, Note } from '../diagnostics/report.js';
import { positionAt } from '../diagnostics/source.js';
import type * as ast from '../syntax/ast.js';
import { Failure } from './failure.js';
import { fieldOf, type Scope } from './scope.js';
import { describe, type ModelRef, type Site, type Val } from './values.js';

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
    if (texts.has(text) || site === undefined || isShown(site, { source, span })) return [];
    texts.add(text);
    return [{ text, ...site }];
  });
}

/** Whether a place is on one of the lines that the frame of another one shows. */
export function isShown(site: Site, { source, span }: Site): boolean {
  const { line } = positionAt(site.source, site.span.start);
  return (
    site.source === source && positionAt(source, span.start).line <= line && line <= positionAt(source, span.end).line
  );
}

/** The elements of a list or tuple that is written out, which are operands each; anything else by itself. */
function elementsOf(arg: ast.Expr): readonly ast.Expr[] {
  if (arg.kind === 'Tuple') return arg.elements;
  return arg.kind === 'List' ? arg.elements.filter(isExpr) : [arg];
}

const isExpr = (item: ast.IndexItem): item is ast.Expr => item.kind !== 'Slice' && item.kind !== 'Ellipsis';

function operandsOf(expr: ast.Expr): readonly ast.Expr[] {
  switch (expr.kind) {
    case 'Binary':
      return [expr.left, expr.right];
    case 'Unary':
      return [expr.operand];
    case 'Index':
      return [expr.object, ...expr.items.filter(isExpr)];
    case 'Pipe':
      return [expr.value, ...operandsOf(expr.target)];
    case 'Call': {
      const args = expr.args.map(({ value }) => value);
      const receiver = expr.callee.kind === 'Member' ? [expr.callee.object] : [];
      return [...receiver, ...args.flatMap(elementsOf)];
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

/** What a name, or a field of the model that a name holds, stands for; compile-time values and functions explain nothing. */
function resolve(expr: ast.Expr, scope: Scope): Named | undefined {
  const found =
    expr.kind === 'Name'
      ? resolveName(expr.name, scope)
      : expr.kind === 'Member'
        ? resolveField(expr, scope)
        : undefined;
  return found !== undefined && telling.has(found.value.kind) ? found : undefined;
}

const telling: ReadonlySet<Val['kind']> = new Set(['tensor', 'cell', 'tuple', 'record']);

function resolveName(name: string, scope: Scope): Named | undefined {
  const found = scope.find(name);
  if (found === undefined) return undefined;
  const { value, site } = found.binding;
  const { self } = found.scope;
  return { value, site: site ?? (self && fieldSite(self, name)) };
}

function resolveField({ object, name }: ast.Member, scope: Scope): Named | undefined {
  const owner =
    object.kind === 'Name'
      ? scope.find(object.name)?.binding.value
      : object.kind === 'Member'
        ? resolveField(object, scope)?.value
        : undefined;
  const value = owner?.kind === 'model' ? fieldOf(owner, name.name) : undefined;
  return owner?.kind === 'model' && value !== undefined ? { value, site: fieldSite(owner, name.name) } : undefined;
}

/** Where a model declares a field. */
function fieldSite({ instance }: ModelRef, name: string): Site | undefined {
  const declared = instance.model.fields.find((field) => 'name' in field && field.name.name === name);
  return declared && { source: instance.unit.source, span: declared.span };
}
