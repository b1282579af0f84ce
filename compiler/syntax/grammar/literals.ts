/** The values of string literals. */
import type { IToken } from 'chevrotain';
import type { Complaint } from './base.js';

const simpleEscapes = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
]);

const escapePattern = /\\(?:u\{([\dA-Fa-f]{1,6})\}|(.))/gu;

/** The value of a string token; unknown escapes are reported and stand for themselves. */
export function decodeString(token: IToken, complain: (complaint: Complaint) => void): string {
  const inner = token.image.slice(1, token.image.length > 1 && token.image.endsWith('"') ? -1 : undefined);
  return inner.replace(escapePattern, (written: string, hex: string | undefined, char: string, at: number) => {
    const code = hex === undefined ? Number.NaN : Number.parseInt(hex, 16);
    const value =
      hex === undefined ? simpleEscapes.get(char) : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (value !== undefined) return value;
    const start = token.startOffset + 1 + at;
    const help = 'the escapes are `\\"`, `\\\\`, `\\n`, `\\t`, `\\r` and `\\u{…}`; a backslash itself is `\\\\`';
    complain({ code: 'E0110', span: { start, end: start + written.length }, label: 'this escape means nothing', help });
    return written;
  });
}

/** The text of a string literal with a value. */
export function encodeString(value: string): string {
  const named = new Map([...simpleEscapes].map(([letter, char]) => [char, `\\${letter}`]));
  const inner = value.replace(
    /["\\\p{Cc}]/gu,
    (char) => named.get(char) ?? `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
  return `"${inner}"`;
}
