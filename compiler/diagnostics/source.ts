/** Source texts and the spans that point into them. */

/** A half-open range `[start, end)` of UTF-16 offsets into the text of one source. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A source text and the name it is reported under. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** A place in a source: both numbers count from one, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The offsets at which the lines of a text begin. A line ends with `\n`; a `\r` before it belongs to the line end. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** The line and column of an offset; offsets outside the text are clamped to it. */
export function positionAt(source: Source, offset: number): Position {
  const clamped = Math.max(0, Math.min(offset, source.text.length));
  const before = source.text.slice(0, clamped);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line++;
  return { line, column: clamped - lineStart + 1 };
}

/** The smallest span that holds both spans. */
export function cover(a: Span, b: Span): Span {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
