/** How patterns, statements and blocks are printed. */
import type { Span } from '../../diagnostics/source.js';
import type * as ast from '../ast.js';
import type { PrintContext, Spanned } from './context.js';
import { breakParent, type Doc, group, indent, join, line, statementLine } from './doc.js';
import { printAssignment, printBinder, printExpr } from './expressions.js';
import { printType } from './types.js';

/** Prints a pattern. */
export function printPattern(pattern: ast.Pattern): Doc {
  switch (pattern.kind) {
    case 'NamePattern':
      return pattern.name.name;
    case 'TuplePattern': {
      const elements = pattern.elements.map(printPattern);
      return ['(', ...join(', ', elements), elements.length === 1 ? ',)' : ')'];
    }
    case 'RecordPattern': {
      const fields = pattern.fields.map(({ name, pattern: inner }): Doc => {
        return inner ? [name.name, ': ', printPattern(inner)] : name.name;
      });
      return fields.length === 0 ? '{}' : ['{ ', ...join(', ', fields), ' }'];
    }
    case 'Error':
      return '_';
  }
}

function printStatement(context: PrintContext, statement: ast.Statement): Doc {
  switch (statement.kind) {
    case 'Let': {
      const type = statement.type ? [': ', printType(context, statement.type)] : [];
      return printAssignment(context, ['let ', printPattern(statement.pattern), ...type], ' =', statement.value);
    }
    case 'Assign': {
      const target = printExpr(context, statement.target);
      return printAssignment(context, target, ` ${statement.operator}`, statement.value);
    }
    case 'IndexDefinition': {
      const binders = join(
        ', ',
        statement.indices.map((binder) => printBinder(context, binder)),
      );
      return printAssignment(context, [statement.name.name, '[', ...binders, ']'], ' =', statement.value);
    }
    case 'For': {
      const head = ['for ', printPattern(statement.pattern), ' in ', printExpr(context, statement.iterable), ' '];
      return [...head, group(blockParts(context, statement.body))];
    }
    default:
      return printExpr(context, statement);
  }
}

/**
 * A block, outside of a group: it stays on one line if it stood on one and fits. After the brace there may be a head,
 * the parameters of a braced lambda; then `span` is that of the braces.
 */
export function blockParts(context: PrintContext, block: ast.Block, head: Doc = '', span: Span = block.span): Doc {
  const statements = block.value ? [...block.statements, block.value] : block.statements;
  return braced(context, statements, span, head, (statement) => printStatement(context, statement));
}

/** Statements or fields in braces. */
export function braced<T extends Spanned>(
  context: PrintContext,
  parts: readonly T[],
  span: Span,
  head: Doc,
  print: (part: T) => Doc,
): Doc {
  const [first] = parts;
  const wasBroken = first !== undefined && context.breaksBetween(span.start, first.span.start);
  const entries = context.entries(parts, span.end - 1, print);
  if (entries.length === 0) return head === '' ? '{}' : ['{', head, ' }'];
  const body = [line, context.lines(entries, statementLine)];
  return ['{', head, wasBroken ? breakParent : '', indent(...body), line, '}'];
}
