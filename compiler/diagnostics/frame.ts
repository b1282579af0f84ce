/** The code frame of a diagnostic: the lines of a span with their numbers, and the underline with its label. */
import { lineStarts, type Source, type Span } from './source.js';
import { visible } from './visible.js';

/** One line of a frame. The margin holds the line number and the rule; marks are underlines. */
export interface FrameLine {
  readonly margin: string;
  readonly text: string;
  readonly isMark: boolean;
}

export interface Frame {
  /** The width of the column of line numbers. */
  readonly gutter: number;
  readonly lines: readonly FrameLine[];
}

const tabWidth = 4;
/** Longer lines are cut around what is underlined. */
const maxWidth = 160;
/** How much of a long line stands before what is underlined. */
const before = 40;
/** A longer span shows its first and last lines only. */
const maxLines = 6;

/** The frame of a span. Where it runs over several lines, each is underlined and the label stands at the last. */
export function frame(source: Source, span: Span, label: string): Frame {
  const starts = lineStarts(source.text);
  const start = clamp(span.start, 0, source.text.length);
  // A span that ends in a line break ends, for the eye, before it.
  const end = Math.max(start, start + source.text.slice(start, span.end).trimEnd().length);
  const first = lineOf(starts, start);
  const last = lineOf(starts, Math.max(start, end - 1));
  const gutter = Math.max(2, String(last + 1).length);
  const blank = `${' '.repeat(gutter)}│`;
  const lines: FrameLine[] = [];
  for (let line = first; line <= last; line++) {
    if (last - first >= maxLines && line > first + 1 && line < last - 1) {
      lines.push({ margin: `${' '.repeat(gutter)}┆`, text: '', isMark: false });
      line = last - 1;
    }
    const from = starts[line] ?? 0;
    const text = source.text.slice(from, (starts[line + 1] ?? source.text.length + 1) - 1).replace(/\r$/, '');
    const indent = text.length - text.trimStart().length;
    const markStart = line === first ? start - from : indent;
    const markEnd = line === last ? end - from : text.length;
    const whole = layOut(text);
    const shown = cut(whole.text, {
      start: whole.columns[clamp(markStart, 0, text.length)] ?? 0,
      end: whole.columns[clamp(markEnd, 0, text.length)] ?? 0,
    });
    const column = shown.mark.start;
    const width = Math.max(1, shown.mark.end - column);
    lines.push({ margin: `${String(line + 1).padStart(gutter)}│`, text: ` ${shown.text}`, isMark: false });
    const isBlankLine = text.trim() === '' && line !== first;
    if (isBlankLine) continue;
    const [head = '', ...rest] = line === last ? label.split('\n') : [''];
    const pad = ' '.repeat(column + 1);
    lines.push({ margin: blank, text: `${pad}${'^'.repeat(width)} ${head}`.trimEnd(), isMark: true });
    for (const more of rest) lines.push({ margin: blank, text: `${pad}${' '.repeat(width)} ${more}`, isMark: true });
  }
  return { gutter, lines };
}

/** A line that is laid out, and its mark in columns; what lies far from the mark of a long line is left out. */
function cut(text: string, mark: Span): { readonly text: string; readonly mark: Span } {
  const { columns } = layOut(text);
  if ((columns.at(-1) ?? 0) <= maxWidth) return { text, mark };
  const from = mark.start + before < maxWidth ? 0 : mark.start - before;
  const inside = [...text].reduce(
    (found, character) => {
      const at = columns[found.offset] ?? 0;
      const isShown = at >= from && at + displayWidth(character) <= from + maxWidth;
      return { offset: found.offset + character.length, text: isShown ? found.text + character : found.text };
    },
    { offset: 0, text: '' },
  ).text;
  const head = from === 0 ? '' : '…';
  const tail = (columns.at(-1) ?? 0) > from + maxWidth ? '…' : '';
  const shift = head.length - from;
  const end = Math.min(mark.end, from + maxWidth) + shift;
  return { text: head + inside + tail, mark: { start: mark.start + shift, end } };
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}

/** The index of the line that holds an offset. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A line with its tabs expanded, its control characters as escapes, and, for each of its UTF-16 offsets, the column of the terminal that it starts at. */
function layOut(line: string): { text: string; columns: readonly number[] } {
  const columns: number[] = [];
  let text = '';
  let column = 0;
  for (const character of line) {
    for (let unit = 0; unit < character.length; unit++) columns.push(column);
    const shown = character === '\t' ? ' '.repeat(tabWidth - (column % tabWidth)) : visible(character);
    text += shown;
    column += shown.length > character.length || character === '\t' ? shown.length : displayWidth(character);
  }
  columns.push(column);
  return { text, columns };
}

/** The ranges of East Asian wide characters and emoji, which terminals draw over two columns. */
const wide = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23f3],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
] as const;

/** How many columns of a terminal a character takes. */
function displayWidth(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0;
  return wide.some(([low, high]) => point >= low && point <= high) ? 2 : 1;
}
