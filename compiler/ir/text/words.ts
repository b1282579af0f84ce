// The lexical pieces that printing and reading share: names, strings, rank-0 constants, origins.
//
// An origin is the comment at the end of a line: parts separated by ` | `, each at most once and in this order.
//   mlp.td:13:79 fc1(x)    a place in a source file and the text there
//   text: fc1(x)           the text when no place is known
//   d relu                 the rule that made the node
//   of %h                  the forward value that it is the tangent or cotangent of
// A backslash before a character takes away its meaning; `\n`, `\r`, `\t` and `\s` are line ends, a tab and a space at an end.

import { type DType, intRange, isFloat } from '../dtype.js';
import type { Origin, SourceSite, TensorType } from '../graph.js';

/** A name as it is where it is a plain word, else as a quoted string. */
export const printName = (name: string): string => (/^[\w.$]+$/.test(name) ? name : JSON.stringify(name));

/** `f32[B, 784]`; a scalar is only its dtype. */
export const printType = (type: TensorType): string =>
  type.shape.length === 0 ? type.dtype : `${type.dtype}[${type.shape.map((dim) => dim.key).join(', ')}]`;

/** The number that all elements have: `inf`, `-inf` and `nan` besides the numerals of JavaScript; `-0` keeps its sign. */
export function printNumber(value: number | bigint): string {
  if (typeof value === 'bigint') return String(value);
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Whether a number is an element of a dtype, up to rounding. */
export function isValueOf(value: number | bigint, dtype: DType): boolean {
  if (isFloat(dtype)) return true;
  const { min, max } = intRange(dtype);
  return typeof value === 'bigint'
    ? value >= min && value <= max
    : Number.isInteger(value) && value >= min && value <= max;
}

/** Reads `printNumber` back; an i64 that a double cannot hold becomes a bigint. Undefined when the text is no number. */
export function parseNumber(text: string, dtype: DType): number | bigint | undefined {
  if (text === 'nan') return Number.NaN;
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  if (text === '-inf') return Number.NEGATIVE_INFINITY;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return dtype === 'i64' && !Number.isSafeInteger(value) && /^-?\d+$/.test(text) ? BigInt(text) : value;
}

/** Letters that stand for spaces and line ends after a backslash. */
const escapes: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', ' ': 's' };
const unescapes = new Map(Object.entries(escapes).map(([c, letter]) => [letter, c]));

/** Escapes a part of an origin; `also` are the characters that would be read as structure where the part stands. */
function escapePart(text: string, also: string): string {
  return text.replace(/[\\|\n\r\t:%]|^ | $/g, (c) => {
    const letter = escapes[c];
    if (letter !== undefined) return `\\${letter}`;
    return c === '\\' || c === '|' || also.includes(c) ? `\\${c}` : c;
  });
}

const unescapePart = (text: string): string => text.replace(/\\([\s\S])/g, (_, c: string) => unescapes.get(c) ?? c);

/** The comment for an origin without its `#`; empty when nothing is known. An empty text, rule or name counts as none. */
export function printOrigin(origin: Origin): string {
  const parts: string[] = [];
  const { site, text, rule, of } = origin;
  if (site !== undefined) {
    const place = `${escapePart(site.file, ':')}:${site.line}:${site.column}`;
    parts.push(text ? `${place} ${escapePart(text, '')}` : place);
  } else if (text) parts.push(`text: ${escapePart(text, '')}`);
  if (rule) parts.push(escapePart(rule, ':%'));
  if (of) parts.push(`of %${escapePart(of, '')}`);
  return parts.join(' | ');
}

const sitePattern = /^((?:[^\\:]|\\[\s\S])*):(\d+):(\d+)(?: ([\s\S]*))?$/;

/** Reads a comment as an origin. Free text is taken for a rule, so that nothing written is lost. */
export function parseOrigin(comment: string): Origin {
  let site: SourceSite | undefined;
  let text: string | undefined;
  let rule: string | undefined;
  let of: string | undefined;
  for (const part of splitParts(comment)) {
    const place = site === undefined && text === undefined && rule === undefined ? sitePattern.exec(part) : null;
    if (place !== null) {
      site = { file: unescapePart(place[1] as string), line: Number(place[2]), column: Number(place[3]) };
      if (place[4] !== undefined) text = unescapePart(place[4]);
    } else if (part.startsWith('text: ')) text = unescapePart(part.slice('text: '.length));
    else if (part.startsWith('of %')) of = unescapePart(part.slice('of %'.length));
    else if (part !== '') rule = unescapePart(part);
  }
  return {
    ...(site === undefined ? {} : { site }),
    ...(text === undefined ? {} : { text }),
    ...(of === undefined ? {} : { of }),
    ...(rule === undefined ? {} : { rule }),
  };
}

/** Splits at bars that no backslash protects. */
function splitParts(comment: string): readonly string[] {
  const parts = comment.match(/(?:[^\\|]|\\[\s\S])+/g) ?? [];
  return parts.map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''));
}
