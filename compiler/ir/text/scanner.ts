// Reads text from left to right for the parser of the text IR: words, names, numbers, dimensions, and errors with their place.

import { type Dim, parseDim } from '../dims.js';
import { type DType, isDType } from '../dtype.js';
import type { TensorType } from '../graph.js';
import { parseNumber } from './words.js';

/** Text that is no IR: what was expected, what was found, and where. */
export class ParseError extends Error {
  override readonly name = 'ParseError';

  constructor(
    readonly reason: string,
    readonly line: number,
    readonly column: number,
    file?: string,
  ) {
    super(`${file === undefined ? '' : `${file}:`}${line}:${column}: ${reason}`);
  }
}

export class Scanner {
  /** The end of the last token. */
  #at = 0;

  constructor(
    readonly text: string,
    readonly file?: string,
  ) {}

  /** The offset of the next token. Looking at it takes nothing: a comment before it can still be read by `comment`. */
  get position(): number {
    const space = /(?:\s|#[^\n]*)*/y;
    space.lastIndex = this.#at;
    space.exec(this.text);
    return space.lastIndex;
  }

  /** Throws a `ParseError` at an offset, by default that of the next token. */
  fail(reason: string, at: number = this.position): never {
    const before = this.text.slice(0, at).split('\n');
    throw new ParseError(reason, before.length, (before.at(-1) ?? '').length + 1, this.file);
  }

  /** Says that something else was expected than what comes next. */
  expected(what: string): never {
    const at = this.position;
    const found = /^(?:[\w.$]+|"[^"\n]*"|.)/.exec(this.text.slice(at, at + 40))?.[0];
    return this.fail(`expected ${what}, found ${found === undefined ? 'the end of the text' : `'${found}'`}`, at);
  }

  /** Takes what a sticky pattern matches at the next token. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** Whether the next token is this word or punctuation. */
  sees(token: string): boolean {
    const at = this.position;
    if (!this.text.startsWith(token, at)) return false;
    return !/[\w$]$/.test(token) || !/[\w.$]/.test(this.text[at + token.length] ?? '');
  }

  /** Takes the token when it is next. */
  accept(token: string): boolean {
    if (!this.sees(token)) return false;
    this.#at = this.position + token.length;
    return true;
  }

  expect(token: string, why = ''): void {
    if (!this.accept(token)) this.expected(`'${token}'${why === '' ? '' : ` ${why}`}`);
  }

  /** A plain word or a quoted string. */
  name(what: string): string {
    if (this.sees('"')) return this.string(what);
    return this.#take(/[\w.$]+/y) ?? this.expected(what);
  }

  /** A quoted string as JSON writes it. */
  string(what: string): string {
    const at = this.position;
    const text = this.#take(/"(?:[^"\\\n]|\\.)*"/y) ?? this.expected(what);
    try {
      return JSON.parse(text) as string;
    } catch {
      return this.fail(`${text} is not a string: only the escapes of JSON are known`, at);
    }
  }

  integer(what: string): number {
    const at = this.position;
    const value = Number(this.#take(/-?\d+/y) ?? this.expected(what));
    return Number.isSafeInteger(value) ? value : this.fail(`${what} is too large`, at);
  }

  /** A number of a dtype: numeral, `inf`, `-inf`, `nan`. */
  number(dtype: DType): number | bigint {
    const text = this.#take(/-?[\w.]+(?:(?<=\de)[+-]\d+)?/y);
    const value = text === undefined ? undefined : parseNumber(text, dtype);
    return value ?? this.expected(`a number of ${dtype}`);
  }

  /** A dtype followed by this punctuation, when that comes next; only the dtype is taken. */
  dtypeBefore(punctuation: string): DType | undefined {
    const pattern = /[a-z]+\d*/y;
    pattern.lastIndex = this.position;
    const word = pattern.exec(this.text)?.[0];
    if (word === undefined || !isDType(word) || !this.text.startsWith(punctuation, pattern.lastIndex)) return undefined;
    this.#at = pattern.lastIndex;
    return word;
  }

  dtype(): DType {
    const at = this.position;
    const word = this.#take(/\w+/y) ?? this.expected('a dtype');
    return isDType(word) ? word : this.fail(`'${word}' is not a dtype`, at);
  }

  /** A dimension expression: everything up to a stop character outside parentheses. */
  dim(stops: string): Dim {
    const start = this.position;
    let depth = 0;
    let end = start;
    for (; end < this.text.length; end++) {
      const c = this.text[end] as string;
      if ((depth === 0 && stops.includes(c)) || c === '\n' || c === '#') break;
      if (c === '(') depth++;
      if (c === ')') depth--;
    }
    const source = this.text.slice(start, end).trim();
    if (source === '') this.expected('a dimension');
    if (!/^[\w.$\s+*/(),-]+$/.test(source)) this.fail(`'${source}' is not a dimension`, start);
    this.#at = end;
    try {
      return parseDim(source);
    } catch (error) {
      return this.fail(error instanceof Error ? error.message : String(error), start);
    }
  }

  /** `f32[B, 784]` or a dtype alone. */
  type(): TensorType {
    const dtype = this.dtype();
    return { dtype, shape: this.sees('[') ? this.list(() => this.dim(',]')) : [] };
  }

  /** Items between brackets, separated by commas. */
  list<T>(item: () => T, open = '[', close = ']'): readonly T[] {
    this.expect(open);
    const items: T[] = [];
    if (this.accept(close)) return items;
    do items.push(item());
    while (this.accept(','));
    if (!this.accept(close)) this.expected(`',' or '${close}'`);
    return items;
  }

  integers(what: string): readonly number[] {
    return this.list(() => this.integer(what));
  }

  /** The comment that ends the current line, without its `#`; empty when there is none. */
  comment(): string {
    const match = /[ \t]*#[ \t]*([^\n]*)/y;
    match.lastIndex = this.#at;
    const comment = match.exec(this.text)?.[1];
    if (comment === undefined) return '';
    this.#at = match.lastIndex;
    return comment.replace(/[ \t]+$/, '');
  }
}
