/** The formatter: one layout for every program, which keeps its meaning, its comments and single blank lines. */
import type { Diagnostic, Source } from '../diagnostics/report.js';
import type * as ast from './ast.js';
import { type Comment, parseFile } from './parser.js';
import { PrintContext } from './print/context.js';
import { layOutDoc } from './print/doc.js';
import { printExpr } from './print/expressions.js';
import { printFile } from './print/items.js';

/** The longest line, where there is a choice. */
const width = 100;

export interface FormattedFile {
  /** The formatted text; absent where the text has syntax errors. */
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Formats a file. Formatting what is formatted changes nothing. */
export function formatFile(source: Source): FormattedFile {
  const { file, diagnostics, comments } = parseFile(source);
  if (diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics };
  return { text: printAst(file, source.text, comments), diagnostics };
}

/**
 * The text of a tree. Blank lines, and whether blocks stand on one line, are taken from the text that it was parsed
 * from; a tree that was made otherwise has none.
 */
export function printAst(file: ast.File, text = '', comments: readonly Comment[] = []): string {
  return layOutDoc(printFile(new PrintContext(text, comments), file), width);
}

/** The text of an expression, as messages quote it. */
export function printExpression(expr: ast.Expr, text = ''): string {
  return layOutDoc(printExpr(new PrintContext(text, []), expr), Number.POSITIVE_INFINITY);
}
