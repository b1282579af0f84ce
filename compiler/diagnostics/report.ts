/** Diagnostics: what they hold, and how they are shown on a terminal and as JSON. */
import { catalogue, type DiagnosticClass, type DiagnosticCode } from './catalogue.js';
import { frame } from './frame.js';
import { type Position, positionAt, type Source, type Span } from './source.js';
import { visible } from './visible.js';

export type { Source, Span } from './source.js';

export type Severity = 'error' | 'warning';

/** A further fact, with the place it comes from where it has one. */
export interface Note {
  readonly text: string;
  readonly span?: Span;
  /** The source that the span points into, where it is another than the diagnostic's. */
  readonly source?: Source;
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  readonly source: Source;
  readonly span: Span;
  /** What stands beside the underline. */
  readonly label?: string;
  readonly notes: readonly Note[];
  /** What to do about it. */
  readonly help?: string;
}

/** What the author of a diagnostic says; the rest has defaults. */
export interface DiagnosticParts {
  readonly source: Source;
  readonly span: Span;
  /** The headline; without it, the title that the catalogue has for the code. */
  readonly message?: string;
  readonly severity?: Severity;
  readonly label?: string | undefined;
  readonly notes?: readonly (Note | string)[];
  readonly help?: string | undefined;
}

/** Makes a diagnostic; without a message it takes the title of its code. */
export function diagnostic(code: DiagnosticCode, parts: DiagnosticParts): Diagnostic {
  const { source, span, label, help } = parts;
  return {
    code,
    severity: parts.severity ?? 'error',
    message: parts.message ?? catalogue[code].title,
    source,
    span,
    notes: (parts.notes ?? []).map((note) => (typeof note === 'string' ? { text: note } : note)),
    ...(label === undefined ? {} : { label }),
    ...(help === undefined ? {} : { help }),
  };
}

/** Errors before warnings of the same place, and all in the order of the text, file by file. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const paths = [...new Set(diagnostics.map(({ source }) => source.path))];
  return [...diagnostics].sort(
    (a, b) =>
      paths.indexOf(a.source.path) - paths.indexOf(b.source.path) ||
      a.span.start - b.span.start ||
      a.severity.localeCompare(b.severity) ||
      a.span.end - b.span.end,
  );
}

/** How a diagnostic is shown. */
export interface RenderOptions {
  /** Whether to use the colours of an ANSI terminal. */
  readonly color?: boolean;
}

type Paint = (text: string) => string;

const csi = '\u001b[';
const ansi =
  (code: string): Paint =>
  (text) =>
    text === '' ? text : `${csi}${code}m${text}${csi}0m`;
const plain: Paint = (text) => text;

/** The text of a diagnostic: headline, code frame, notes and help; no newline at the end. */
export function renderDiagnostic(d: Diagnostic, { color = false }: RenderOptions = {}): string {
  const accent = color ? ansi(d.severity === 'error' ? '1;31' : '1;33') : plain;
  const bold = color ? ansi('1') : plain;
  const rule = color ? ansi('34') : plain;
  const { line, column } = positionAt(d.source, d.span.start);
  const code = frame(d.source, d.span, visible(d.label ?? ''));
  const indent = ' '.repeat(code.gutter);
  const lines = [
    `${accent(`${d.severity}[${d.code}]`)}${bold(`: ${visible(d.message)}`)}`,
    `${indent}${rule('┌─')} ${visible(d.source.path)}:${line}:${column}`,
    ...code.lines.map(({ margin, text, isMark }) => `${rule(margin)}${isMark ? accent(text) : text}`.trimEnd()),
    ...d.notes.map((note) =>
      hang(`${indent}${rule('=')} `, code.gutter + 2, `${visible(note.text)}${place(note, d.source)}`),
    ),
  ];
  if (d.help !== undefined) lines.push(hang(`${indent}${bold('help:')} `, code.gutter + 6, visible(d.help)));
  return lines.join('\n');
}

/** Several diagnostics, a blank line between them. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions = {}): string {
  return diagnostics.map((d) => renderDiagnostic(d, options)).join('\n\n');
}

function place(note: Note, main: Source): string {
  if (note.span === undefined) return '';
  const source = note.source ?? main;
  const { line } = positionAt(source, note.span.start);
  return source.path === main.path ? ` (line ${line})` : ` (${source.path}:${line})`;
}

/** Puts a prefix before the first line of a text and indents the others as far. */
function hang(prefix: string, width: number, text: string): string {
  return prefix + text.replaceAll('\n', `\n${' '.repeat(width)}`);
}

/** A diagnostic as `tdsl check --json` prints it. */
export interface DiagnosticJson {
  readonly code: DiagnosticCode;
  readonly class: DiagnosticClass;
  readonly severity: Severity;
  readonly message: string;
  readonly path: string;
  readonly start: Position;
  readonly end: Position;
  readonly label?: string;
  readonly notes: readonly { readonly text: string; readonly path?: string; readonly start?: Position }[];
  readonly help?: string;
}

/** The data of a diagnostic with its places as lines and columns. */
export function toJson(d: Diagnostic): DiagnosticJson {
  return {
    code: d.code,
    class: catalogue[d.code].class,
    severity: d.severity,
    message: d.message,
    path: d.source.path,
    start: positionAt(d.source, d.span.start),
    end: positionAt(d.source, d.span.end),
    notes: d.notes.map(({ text, span, source = d.source }) =>
      span === undefined ? { text } : { text, path: source.path, start: positionAt(source, span.start) },
    ),
    ...(d.label === undefined ? {} : { label: d.label }),
    ...(d.help === undefined ? {} : { help: d.help }),
  };
}
