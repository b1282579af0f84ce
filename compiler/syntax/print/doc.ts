/**
 * Documents: text with places where lines may break, laid out within a width. The algebra is Wadler's, in the form
 * that Prettier made common: a group is set on one line if it fits, else all its own lines break.
 */

export type Doc = string | readonly Doc[] | Line | Indent | Group | IfBroken | Suffix;

interface Line {
  readonly kind: 'line';
  /** What stands in its place where the group is on one line. */
  readonly flat: string;
  readonly hard: boolean;
}

interface Indent {
  readonly kind: 'indent';
  readonly doc: Doc;
}

interface Group {
  readonly kind: 'group';
  readonly doc: Doc;
  readonly broken: boolean;
}

interface IfBroken {
  readonly kind: 'ifBroken';
  readonly broken: Doc;
  readonly flat: Doc;
}

/** Text that goes to the end of the line it falls on, such as a comment; the groups around it break. */
interface Suffix {
  readonly kind: 'suffix';
  readonly text: string;
}

/** A space, or a line break. */
export const line: Doc = { kind: 'line', flat: ' ', hard: false };
/** Nothing, or a line break. */
export const softline: Doc = { kind: 'line', flat: '', hard: false };
/** A line break, always. */
export const hardline: Doc = { kind: 'line', flat: '', hard: true };
/** A line break, or a semicolon. */
export const statementLine: Doc = { kind: 'line', flat: '; ', hard: false };
/** Nothing, but the groups around it break. */
export const breakParent: Doc = { kind: 'suffix', text: '' };

/** Lines inside are indented by one step. */
export function indent(...doc: readonly Doc[]): Doc {
  return { kind: 'indent', doc };
}

/** Set on one line if it fits and nothing in it forces a break. */
export function group(...doc: readonly Doc[]): Doc {
  return { kind: 'group', doc, broken: mustBreak(doc) };
}

/** One document where the group around is broken, another where it is on one line. */
export function ifBroken(broken: Doc, flat: Doc = ''): Doc {
  return { kind: 'ifBroken', broken, flat };
}

/** Text for the end of the line. */
export function suffix(text: string): Doc {
  return { kind: 'suffix', text };
}

/** Documents with a separator between them. */
export function join(separator: Doc, docs: readonly Doc[]): Doc[] {
  return docs.flatMap((doc, index) => (index === 0 ? [doc] : [separator, doc]));
}

/** A document without the places where its lines could break; one that must break stays as it is. */
export function flatten(doc: Doc): Doc {
  if (typeof doc === 'string' || mustBreak(doc)) return doc;
  if (!('kind' in doc)) return doc.map(flatten);
  switch (doc.kind) {
    case 'line':
      return doc.flat;
    case 'suffix':
      return doc;
    case 'group':
    case 'indent':
      return flatten(doc.doc);
    case 'ifBroken':
      return flatten(doc.flat);
  }
}

/** Whether a document cannot stand on one line. */
export function mustBreak(doc: Doc): boolean {
  if (typeof doc === 'string') return false;
  if (!('kind' in doc)) return doc.some(mustBreak);
  switch (doc.kind) {
    case 'line':
      return doc.hard;
    case 'suffix':
      return true;
    case 'group':
      return doc.broken;
    case 'indent':
      return mustBreak(doc.doc);
    case 'ifBroken':
      return mustBreak(doc.flat);
  }
}

interface Command {
  readonly indentation: number;
  readonly flat: boolean;
  readonly doc: Doc;
}

const step = 2;

/** Lays a document out. Lines get no space at their ends. */
export function layOutDoc(doc: Doc, width: number): string {
  const stack: Command[] = [{ indentation: 0, flat: false, doc }];
  const lines: string[] = [];
  let current = '';
  let column = 0;
  let suffixes = '';
  const write = (text: string) => {
    current += text;
    column += text.length;
  };
  for (let command = stack.pop(); command !== undefined; command = stack.pop()) {
    const { indentation, flat, doc } = command;
    if (typeof doc === 'string') write(doc);
    else if (!('kind' in doc)) for (const part of doc.toReversed()) stack.push({ indentation, flat, doc: part });
    else if (doc.kind === 'indent') stack.push({ indentation: indentation + step, flat, doc: doc.doc });
    else if (doc.kind === 'ifBroken') stack.push({ indentation, flat, doc: flat ? doc.flat : doc.broken });
    else if (doc.kind === 'suffix') suffixes += doc.text;
    else if (doc.kind === 'group') {
      const onOneLine = flat || (!doc.broken && fits({ indentation, flat: true, doc: doc.doc }, stack, width - column));
      stack.push({ indentation, flat: onOneLine, doc: doc.doc });
    } else if (flat && !doc.hard) write(doc.flat);
    else {
      lines.push((current + suffixes).trimEnd());
      current = ' '.repeat(indentation);
      column = indentation;
      suffixes = '';
    }
  }
  return [...lines, (current + suffixes).trimEnd()].join('\n');
}

/** Whether a command, and what follows it up to the next possible line break, fits into a width. */
function fits(first: Command, rest: readonly Command[], width: number): boolean {
  const stack = [first];
  let left = width;
  let next = rest.length;
  while (left >= 0) {
    const command = stack.pop() ?? rest[--next];
    if (command === undefined) return true;
    const { indentation, flat, doc } = command;
    if (typeof doc === 'string') left -= doc.length;
    else if (!('kind' in doc)) for (const part of doc.toReversed()) stack.push({ indentation, flat, doc: part });
    else if (doc.kind === 'indent') stack.push({ indentation, flat, doc: doc.doc });
    else if (doc.kind === 'ifBroken') stack.push({ indentation, flat, doc: flat ? doc.flat : doc.broken });
    else if (doc.kind === 'group') stack.push({ indentation, flat: flat && !doc.broken, doc: doc.doc });
    else if (doc.kind === 'line') {
      if (!flat || doc.hard) return true;
      left -= doc.flat.length;
    }
  }
  return false;
}
