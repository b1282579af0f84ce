/**
 * What the parts of the grammar share: positions, lists, and recovery from errors.
 *
 * Chevrotain's own recovery looks for a token that may follow, and does not know that it stands inside of a nested
 * bracket. The layout has balanced all brackets, so recovery here is simpler and exact: a rule that fails is left, and
 * whole bracketed groups are skipped up to the next separator of the list, block or file that it stands in. In the
 * place of what failed stands an `Error` node.
 */
import {
  EmbeddedActionsParser,
  EOF,
  type IParserErrorMessageProvider,
  type IToken,
  isRecognitionException,
  type TokenType,
  tokenMatcher,
} from 'chevrotain';
import type { Span } from '../../diagnostics/source.js';
import type * as ast from '../ast.js';
import { spanOf } from '../layout.js';
import * as t from '../tokens.js';
import { labelOf } from './messages.js';

/** An error of the grammar that no mismatch of tokens shows; `parser.ts` makes diagnostics of them. */
export interface Complaint {
  readonly code: 'E0105' | 'E0107' | 'E0108' | 'E0110' | 'E0111' | 'E0112';
  readonly span: Span;
  readonly label: string;
  readonly help?: string;
}

export interface ParserOptions {
  /** Whether to check the grammar itself, which takes time: a test does it once. */
  readonly validate?: boolean;
  readonly messages?: IParserErrorMessageProvider;
}

/** Where a part of a list ends. */
type Stops = readonly TokenType[];

const openers: Stops = [t.LeftParen, t.LeftBracket, t.LeftBrace];
const closers: Stops = [t.RightParen, t.RightBracket, t.RightBrace];
export const separators: Stops = [t.Newline, t.Semicolon];

export abstract class BaseGrammar extends EmbeddedActionsParser {
  /** The documentation comments of the text being parsed, by the offset of what follows them. */
  docs: ReadonlyMap<number, string> = new Map();
  complaints: Complaint[] = [];

  constructor({ validate = false, messages }: ParserOptions) {
    super([...t.vocabulary], {
      maxLookahead: 2,
      skipValidations: !validate,
      recoveryEnabled: false,
      ...(messages ? { errorMessageProvider: messages } : {}),
    });
  }

  // The parts of the grammar refer to each other; these are defined further down the chain of classes.
  protected abstract readonly expression: () => ast.Expr;
  protected abstract readonly type: () => ast.Type;
  protected abstract readonly pattern: () => ast.Pattern;
  protected abstract readonly block: () => ast.Block;
  protected abstract readonly lambdaParams: () => ast.LambdaParam[];
  protected abstract readonly args: () => ast.Argument[];

  /** The offset at which the next token begins. */
  protected here(): number {
    return this.LA(1).startOffset;
  }

  /** The span from an offset to the end of the last token. */
  protected span(start: number): Span {
    const last = this.LA(0);
    return { start, end: Math.max(start, spanOf(last).end) };
  }

  /** Whether the token `distance` ahead is of a type, or of a category. */
  protected sees(type: TokenType, distance = 1): boolean {
    return tokenMatcher(this.LA(distance), type);
  }

  protected seesOneOf(types: Stops): boolean {
    const token = this.LA(1);
    return token.tokenType === EOF || types.some((type) => tokenMatcher(token, type));
  }

  /** How far ahead the token stands that follows the bracketed group which begins `distance` ahead. */
  protected afterGroup(distance: number): number {
    let depth = 0;
    for (let at = distance; ; at++) {
      const token = this.LA(at);
      if (token.tokenType === EOF) return at;
      if (isOneOf(token, openers)) depth++;
      else if (isOneOf(token, closers)) depth--;
      if (depth === 0) return at + 1;
    }
  }

  /** The token that is read next. */
  get place(): Span {
    return spanOf(this.LA(1));
  }

  protected identifier(token: IToken): ast.Identifier {
    const { startOffset: start, image } = token;
    return { kind: 'Identifier', span: { start, end: start + image.length }, name: image };
  }

  protected docsAt(start: number): { readonly docs?: string } {
    const docs = this.docs.get(start);
    return docs === undefined ? {} : { docs };
  }

  protected complain(complaint: Complaint): void {
    this.ACTION(() => this.complaints.push(complaint));
  }

  /**
   * Parses a part that ends before one of `stops`. If it fails, the rest is skipped and there is an error node; if
   * something follows that does not belong, that is an error too, but what was parsed is kept.
   */
  protected guarded<T>(stops: Stops, rule: () => T): T | ast.ErrorNode {
    if (this.RECORDING_PHASE) return rule();
    const start = this.here();
    try {
      const result = rule();
      if (!this.seesOneOf(stops)) this.skipUnexpected(stops);
      return result;
    } catch (error) {
      if (!(error instanceof Error) || !isRecognitionException(error)) throw error;
      this.skipTo(stops);
      return { kind: 'Error', span: this.span(start) };
    }
  }

  /**
   * Parts separated by commas, with or without a comma after the last, up to a closing bracket. A rule has at most one
   * list or sequence.
   */
  protected list<T>(closer: TokenType, what: string, element: () => T): (T | ast.ErrorNode)[] {
    const elements: (T | ast.ErrorNode)[] = [];
    const stops = [t.Comma, closer];
    for (let more = true; more; ) {
      this.MANY9(() => {
        elements.push(this.guarded(stops, element));
        this.OPTION9(() => this.CONSUME9(t.Comma));
      });
      more = !this.RECORDING_PHASE && !this.seesOneOf([closer]);
      if (more) elements.push(this.skipUnexpected(stops, `${what} or ${closer.LABEL}`));
      if (more && this.sees(t.Comma)) this.SKIP_TOKEN();
      else if (more) more = this.skipCloser(closer);
    }
    return elements;
  }

  /** Parts separated by line ends or semicolons, up to a closing bracket or the end of the text. */
  protected sequence<T>(closer: TokenType, what: string, part: () => T): (T | ast.ErrorNode)[] {
    const parts: (T | ast.ErrorNode)[] = [];
    const stops = [...separators, closer];
    for (let more = true; more; ) {
      this.MANY9(() =>
        this.OR9([
          { ALT: () => this.CONSUME9(t.Newline) },
          { ALT: () => this.CONSUME9(t.Semicolon) },
          { ALT: () => parts.push(this.guarded(stops, part)) },
        ]),
      );
      more = !this.RECORDING_PHASE && !this.seesOneOf([closer]);
      if (more) parts.push(this.skipUnexpected(stops, what));
      if (more) more = this.skipCloser(closer);
    }
    return parts;
  }

  /** Reports the next token and leaves out what stands before `stops`. */
  private skipUnexpected(stops: Stops, expected = oneOf(stops)): ast.ErrorNode {
    const start = this.here();
    this.complaints.push({ code: 'E0105', span: spanOf(this.LA(1)), label: `expected ${expected}` });
    this.skipTo(stops);
    return { kind: 'Error', span: this.span(start) };
  }

  /**
   * Leaves out a bracket that closes nothing here, which recovery inside of it can leave over: nothing else would take it. False where a
   * list or sequence cannot go on.
   */
  private skipCloser(own: TokenType): boolean {
    const token = this.LA(1);
    if (token.tokenType === EOF) return false;
    if (isOneOf(token, closers) && token.tokenType !== own) this.SKIP_TOKEN();
    return true;
  }

  private skipTo(stops: Stops): void {
    while (!this.seesOneOf(stops)) {
      if (isOneOf(this.LA(1), closers)) return;
      const group = isOneOf(this.LA(1), openers) ? this.afterGroup(1) - 1 : 1;
      for (let skipped = 0; skipped < group; skipped++) this.SKIP_TOKEN();
    }
  }
}

export function isOneOf(token: IToken, types: Stops): boolean {
  return types.some((type) => tokenMatcher(token, type));
}

const unnamed = new Set([t.Semicolon, t.Derivative]);

/** The labels of token types as a phrase, which need not name all that could stand at the end of a part. */
function oneOf(types: Stops): string {
  const labels = types.filter((type) => !unnamed.has(type)).map(labelOf);
  const last = labels.pop();
  return labels.length === 0 ? `${last}` : `${labels.join(', ')} or ${last}`;
}
