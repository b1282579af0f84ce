/** From the text of a file, or of one expression, to its syntax tree and the diagnostics of its syntax. */
import type { ILexingError, IRecognitionException, IToken } from 'chevrotain';
import { type Diagnostic, type DiagnosticParts, diagnostic, sortDiagnostics } from '../diagnostics/report.js';
import type { Source, Span } from '../diagnostics/source.js';
import type * as ast from './ast.js';
import { Grammar } from './grammar/items.js';
import { messages } from './grammar/messages.js';
import { explainCharacter, explainName, explainUnexpected } from './hints.js';
import { documentation, isInserted, type Layout, layOut, spanOf, tooDeep } from './layout.js';
import { BadNumber, commentGroup, ForeignName, makeLexer, OpenText } from './tokens.js';

/** A comment of the text, with its `#`. */
export interface Comment extends Span {
  readonly text: string;
}

export interface ParsedFile {
  readonly file: ast.File;
  readonly diagnostics: readonly Diagnostic[];
  readonly comments: readonly Comment[];
}

export interface ParsedExpression {
  readonly expr: ast.Expr;
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses a file. The tree is usable also where there are errors: `Error` nodes stand for what did not parse. */
export function parseFile(source: Source): ParsedFile {
  const { result, diagnostics, comments } = parse(source, (grammar) => grammar.file());
  return { file: result, diagnostics, comments };
}

/** Parses a text that is a single expression. */
export function parseExpression(source: Source): ParsedExpression {
  const { result, diagnostics } = parse(source, (grammar) => grammar.loneExpression());
  return { expr: result, diagnostics };
}

/**
 * The lexer and the parser take some time to build, so they are built at the first use and used again. Parsing is
 * synchronous and begins by setting all their state, so nothing passes from one text to the next.
 */
const machinery = once(() => ({ lexer: makeLexer(), grammar: new Grammar({ messages }) }));

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function parse<T>(source: Source, rule: (grammar: Grammar) => T) {
  const { lexer, grammar } = machinery();
  const lexed = lexer.tokenize(source.text);
  const comments = lexed.groups[commentGroup] ?? [];
  const read = (layout: Layout) => {
    grammar.input = layout.tokens;
    grammar.docs = documentation(source, layout.tokens, comments);
    grammar.complaints = [];
    return { layout, result: rule(grammar) };
  };
  const { layout, result } = withinStack(
    () => read(layOut(source, lexed.tokens)),
    () => read(tooDeep(source, grammar.place, 'the parser gave up here')),
  );
  if (layout.isTooDeep) return { result, diagnostics: layout.diagnostics, comments: comments.map(toComment) };
  const lexical = [
    ...lexed.errors.map((error) => badCharacter(source, error)),
    ...lexed.tokens.flatMap((token) => badToken(source, token)),
    ...foreignNames(source, lexed.tokens),
  ];
  const grammatical = [
    ...grammar.errors
      .filter(({ token }) => !isInserted(token))
      .map((error) => unexpected(source, layout.tokens, error)),
    ...grammar.complaints.map(({ code, ...parts }) => {
      if (code === 'E0105') return located(source, layout.tokens, parts.span, parts.label);
      return diagnostic(code, { source, ...parts });
    }),
  ];
  const diagnostics = mostTelling(source, lexical, layout.diagnostics, grammatical);
  return { result, diagnostics, comments: comments.map(toComment) };
}

/** Very long chains of signs or of `else if` are nested deeply without brackets. */
function withinStack<T>(run: () => T, instead: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) return instead();
    throw error;
  }
}

function toComment(token: IToken): Comment {
  return { ...spanOf(token), text: token.image.trimEnd() };
}

/**
 * Leaves out what is likely a consequence of another error: on a line with a bad character or literal all but the
 * first of those, and of several errors at one place all but the first.
 */
function mostTelling(
  source: Source,
  lexical: readonly Diagnostic[],
  brackets: readonly Diagnostic[],
  grammatical: readonly Diagnostic[],
): readonly Diagnostic[] {
  const lineOf = ({ span }: Diagnostic) => source.text.lastIndexOf('\n', span.start - 1);
  const spoilt = new Map([...sortDiagnostics(lexical)].reverse().map((d) => [lineOf(d), d]));
  const sound = [...brackets, ...grammatical].filter((d) => !spoilt.has(lineOf(d)));
  const sorted = sortDiagnostics([...spoilt.values(), ...sound]);
  return sorted.filter((d, index) => sorted[index - 1]?.span.start !== d.span.start);
}

function badCharacter(source: Source, error: ILexingError): Diagnostic {
  const span = { start: error.offset, end: error.offset + error.length };
  return diagnostic('E0101', { source, span, ...explainCharacter(source.text.slice(span.start, span.end)) });
}

function badToken(source: Source, token: IToken): Diagnostic[] {
  const span = spanOf(token);
  if (token.tokenType === OpenText) {
    return [diagnostic('E0102', { source, span, label: 'expected `"` before the end of the line' })];
  }
  if (token.tokenType !== BadNumber) return [];
  return [diagnostic('E0109', { source, span, ...explainNumber(token.image) })];
}

/** Names with letters that the language does not have, each at its first place. */
function foreignNames(source: Source, tokens: readonly IToken[]): readonly Diagnostic[] {
  const first = new Map<string, IToken>();
  for (const token of tokens)
    if (token.tokenType === ForeignName && !first.has(token.image)) first.set(token.image, token);
  return [...first.values()].map((token) =>
    diagnostic('E0101', { source, span: spanOf(token), ...explainName(token.image) }),
  );
}

function explainNumber(image: string): Pick<DiagnosticParts, 'help'> {
  if (image.startsWith('.')) return { help: `write \`0${image}\`; an element of a tuple is \`t[0]\`` };
  if (/^\d+\.$/.test(image)) return { help: `write \`${image}0\`` };
  return {};
}

function unexpected(source: Source, tokens: readonly IToken[], error: IRecognitionException): Diagnostic {
  return located(source, tokens, spanOf(error.token), error.message);
}

/** An error at a token that does not belong; what is known about such mistakes is said as well. */
function located(source: Source, tokens: readonly IToken[], place: Span, label: string): Diagnostic {
  const index = tokens.findIndex((token) => token.startOffset === place.start && !isInserted(token));
  const end = source.text.trimEnd().length;
  const span = index === -1 ? { start: end, end } : place;
  const hint = explainUnexpected(source, tokens, index === -1 ? tokens.length : index);
  return diagnostic(hint?.code ?? 'E0105', { source, span, label, ...hint?.parts });
}
