/** What all printers share: the text, for its blank lines and line breaks, and its comments, which they give back. */
import type { Span } from '../../diagnostics/source.js';
import type { Comment } from '../parser.js';
import { breakParent, type Doc, group, hardline, ifBroken, indent, join, line, softline, suffix } from './doc.js';

export interface Spanned {
  readonly span: Span;
}

/** One part of a list, block or file, or a comment that stands on a line of its own between them. */
export interface Entry extends Span {
  readonly doc: Doc;
  readonly isComment: boolean;
  /** The comment at the end of its line. */
  readonly trailing: Doc;
}

/** The text being printed, and a cursor over its comments: printing goes in the order of the text. */
export class PrintContext {
  private next = 0;

  constructor(
    readonly text: string,
    private readonly comments: readonly Comment[],
  ) {}

  /** The comments before an offset that were not taken yet. */
  commentsBefore(offset: number): readonly Comment[] {
    const first = this.next;
    while ((this.comments[this.next]?.start ?? Number.POSITIVE_INFINITY) < offset) this.next++;
    return this.comments.slice(first, this.next);
  }

  /** The comment on the rest of the line after an offset; only what matches `between` may stand before it. */
  commentAfter(offset: number, between = /^[ \t]*[,;]?[ \t]*$/): Comment | undefined {
    const comment = this.comments[this.next];
    if (comment === undefined || comment.start < offset) return undefined;
    if (!between.test(this.text.slice(offset, comment.start))) return undefined;
    this.next++;
    return comment;
  }

  /** Whether the text breaks its line between two offsets. */
  breaksBetween(start: number, end: number): boolean {
    return this.text.slice(start, end).includes('\n');
  }

  /** Whether there is a blank line between two offsets. */
  isBlankBetween(start: number, end: number): boolean {
    return /\n[ \t\r]*\n/.test(this.text.slice(start, end));
  }

  /**
   * The parts of a list with the comments among them. A comment inside of a part at a place that has no line of its own
   * moves before the part; there a `##` would become documentation, so it becomes a `#`.
   */
  entries<T extends Spanned>(parts: readonly T[], end: number, print: (part: T) => Doc): Entry[] {
    const entries: Entry[] = [];
    for (const part of parts) {
      const { span } = part;
      for (const comment of this.commentsBefore(span.start)) entries.push(commentEntry(comment));
      const doc = print(part);
      for (const { text } of this.commentsBefore(span.end)) {
        const moved = { start: span.start, end: span.start, text: text.replace(/^#+/, '#') };
        entries.push(commentEntry(moved));
      }
      const trailing = this.commentAfter(span.end);
      const partEnd = trailing?.end ?? span.end;
      entries.push({
        start: span.start,
        end: partEnd,
        doc,
        isComment: false,
        trailing: trailing ? suffix(`  ${trailing.text}`) : '',
      });
    }
    for (const comment of this.commentsBefore(end)) entries.push(commentEntry(comment));
    return entries;
  }

  /** Entries under each other, with the blank lines of the text, but at most one at a place. */
  lines(entries: readonly Entry[], separator: Doc): Doc {
    return entries.map((entry, index): Doc => {
      const previous = entries[index - 1];
      const blank = previous !== undefined && this.isBlankBetween(previous.end, entry.start) ? blankLine : '';
      return [previous === undefined ? '' : separator, blank, entry.doc, entry.trailing];
    });
  }

  /** Parts between brackets, separated by commas: on one line, or one a line. */
  commaList<T extends Spanned>(
    brackets: readonly [open: string, close: string],
    parts: readonly T[],
    end: number,
    print: (part: T) => Doc,
    { padding = softline, trailingComma = true, hug = false }: ListStyle = {},
  ): Doc {
    const [open, close] = brackets;
    const entries = this.entries(parts, end, print);
    if (entries.length === 0) return [open, close];
    const last = entries.findLastIndex(({ isComment }) => !isComment);
    const finalComma: Doc = trailingComma ? ifBroken(',') : '';
    const docs = entries.map(({ doc, isComment, trailing }, index): Doc => {
      const comma: Doc = index < last ? ',' : finalComma;
      return isComment ? doc : [doc, comma, trailing];
    });
    if (hug && entries.length === parts.length && !entries.some(({ trailing }) => trailing !== '')) {
      return [
        open,
        ...join(
          ', ',
          entries.map(({ doc }) => doc),
        ),
        close,
      ];
    }
    return group(open, indent(padding, ...join(line, docs)), padding, close);
  }
}

export interface ListStyle {
  /** What stands inside the brackets where all is on one line. */
  readonly padding?: Doc;
  readonly trailingComma?: boolean;
  /** Whether the brackets hold on to their content: only the content breaks. */
  readonly hug?: boolean;
}

/** A line break of its own, which only a broken block has: where there was a blank line, the text was broken. */
const blankLine: Doc = { kind: 'line', flat: '', hard: true };

function commentEntry({ start, end, text }: Comment): Entry {
  return { start, end, doc: [text, breakParent], isComment: true, trailing: '' };
}

/** Comments that stand before a value, each on its line, and the value below them. */
export function belowComments(comments: readonly Comment[], value: Doc): Doc {
  return [...comments.map(({ text }): Doc => [text, hardline]), value];
}
