/**
 * Layout: from the raw tokens of the lexer to what the grammar reads. It decides which line ends are the ends of
 * statements, pairs the brackets, and finds the documentation comments.
 *
 * After layout brackets are always balanced: one that is missing has been reported and put in, one too many has been
 * reported and left out. So the parser can skip what it does not understand by whole bracketed groups.
 */
import { createTokenInstance, type IToken, type TokenType, tokenMatcher } from 'chevrotain';
import { type Diagnostic, diagnostic } from '../diagnostics/report.js';
import type { Source, Span } from '../diagnostics/source.js';
import * as t from './tokens.js';

export interface Layout {
  readonly tokens: IToken[];
  /** Whether the text is nested so deeply that later phases would run out of stack. Then there are no tokens. */
  readonly isTooDeep: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** The closing bracket of each opening one. */
const closers = new Map([
  [t.LeftParen, t.RightParen],
  [t.LeftBracket, t.RightBracket],
  [t.LeftBrace, t.RightBrace],
]);
const closing = new Set(closers.values());

/** After these, the next line goes on with the same statement. */
const continuing = new Set([
  ...[t.LeftParen, t.LambdaParen, t.LeftBracket, t.LeftBrace, t.Newline],
  ...[t.Dot, t.Comma, t.Semicolon, t.Colon, t.ThinArrow, t.FatArrow, t.Bar, t.Bang, t.Power, t.Else, t.In],
]);

/** A line that begins with one of these goes on with the statement before it. */
const continued = new Set([
  ...[t.RightParen, t.RightBracket, t.RightBrace],
  ...[t.Pipe, t.Comma, t.Else, t.Equals, t.ThinArrow, t.FatArrow],
]);

/** Lays out the tokens of a source. */
export function layOut(source: Source, raw: readonly IToken[]): Layout {
  const strict = pairBrackets(source, raw, false);
  const isFinal = strict.diagnostics.length === 0 || strict.isTooDeep;
  return isFinal ? strict : pairBrackets(source, raw, true);
}

/** The diagnostic of a text that is nested too deeply. */
export function tooDeep(source: Source, span: Span, label: string = `more than ${maxDepth} levels`): Layout {
  return { tokens: [], isTooDeep: true, diagnostics: [diagnostic('L0906', { source, span, label })] };
}

/** How deep brackets may be nested. */
const maxDepth = 100;

/** Whether a token was put in for a bracket that the text lacks. */
export function isInserted(token: IToken): boolean {
  return token.image === '' && closing.has(token.tokenType);
}

/**
 * One walk over the tokens. With `guess`, words that only begin a line of the language, at a place where brackets are
 * open, are taken as the sign that those brackets should have been closed before. That would be wrong in some correct
 * texts, so it is done only for texts whose brackets do not match.
 */
function pairBrackets(source: Source, raw: readonly IToken[], guess: boolean): Layout {
  const tokens: IToken[] = [];
  const diagnostics: Diagnostic[] = [];
  const open: { token: IToken; index: number }[] = [];
  let lineBroke = false;

  const closeTop = () => {
    const top = open.pop();
    const closer = top && closers.get(top.token.tokenType);
    if (!closer) return;
    const span = spanOf(top.token);
    diagnostics.push(diagnostic('E0103', { source, span, label: `no ${closer.LABEL} for this` }));
    const { end } = spanOf(tokens.at(-1) ?? top.token);
    tokens.push(insertToken(closer, '', end));
  };

  for (const [index, token] of raw.entries()) {
    const type = token.tokenType;
    if (type === t.Newline) {
      lineBroke = true;
      continue;
    }
    if (guess && lineBroke && open.length > 0) {
      const next = raw[index + 1];
      const beginsItem = startsItem(token, next) || (isAtMargin(source, token) && startsStatement(token, next));
      if (beginsItem) while (open.length > 0) closeTop();
      if (startsStatement(token, next))
        while (open.length > 0 && open.at(-1)?.token.tokenType !== t.LeftBrace) closeTop();
    }
    const previous = tokens.at(-1);
    if (lineBroke && previous && !continues(previous) && !continued.has(type)) {
      const inBraces = (open.at(-1)?.token.tokenType ?? t.LeftBrace) === t.LeftBrace;
      // Inside brackets a line end means nothing, but a bracket at the beginning of a line is never a call or an index.
      if (inBraces || type === t.LeftParen || type === t.LeftBracket) {
        tokens.push(insertToken(t.Newline, '\n', spanOf(previous).end));
      }
    }
    lineBroke = false;

    if (closers.has(type)) {
      open.push({ token, index: tokens.length });
      if (open.length > maxDepth) return tooDeep(source, spanOf(token));
    } else if (closing.has(type)) {
      const opener = closer(open, type);
      if (opener === 'none') {
        const [expected] = open.slice(-1).map((top) => closers.get(top.token.tokenType)?.LABEL);
        const label = expected === undefined ? 'nothing is open here' : `expected ${expected}`;
        diagnostics.push(diagnostic('E0104', { source, span: spanOf(token), label }));
        continue;
      }
      if (opener === 'mistyped') {
        const top = open.pop();
        const right = top && closers.get(top.token.tokenType);
        if (!top || !right) continue;
        const notes = [{ text: `it would close the \`${top.token.image}\``, span: spanOf(top.token) }];
        const label = `expected ${right.LABEL}`;
        diagnostics.push(diagnostic('E0104', { source, span: spanOf(token), label, notes }));
        tokens.push({ ...token, tokenType: right, tokenTypeIdx: right.tokenTypeIdx ?? 0 });
        continue;
      }
      while (open.at(-1) && closers.get(open.at(-1)?.token.tokenType ?? type) !== type) closeTop();
      const top = open.pop();
      const next = raw[index + 1];
      if (top && type === t.RightParen && next?.tokenType === t.FatArrow) {
        tokens[top.index] = { ...top.token, tokenType: t.LambdaParen, tokenTypeIdx: t.LambdaParen.tokenTypeIdx ?? 0 };
      }
    }
    tokens.push(token);
  }
  while (open.length > 0) closeTop();
  return { tokens, isTooDeep: false, diagnostics };
}

/** What a closing bracket closes: an open bracket, the innermost one in a wrong form, or nothing. */
function closer(open: readonly { token: IToken }[], type: TokenType): 'open' | 'mistyped' | 'none' {
  if (open.some(({ token }) => closers.get(token.tokenType) === type)) return 'open';
  const top = open.at(-1)?.token.tokenType;
  return top !== undefined && top !== t.LeftBrace && type !== t.RightBrace ? 'mistyped' : 'none';
}

function continues(token: IToken): boolean {
  return continuing.has(token.tokenType) || tokenMatcher(token, t.Infix) || tokenMatcher(token, t.AssignmentSign);
}

/** Words that begin an item of a file and nothing inside of one. */
function startsItem(token: IToken, next: IToken | undefined): boolean {
  if (token.tokenType === t.Export || token.tokenType === t.Import) return next?.tokenType !== t.Colon;
  return (token.tokenType === t.Model || token.tokenType === t.Dim) && next !== undefined && isIdentifier(next);
}

const fieldWords = new Set([t.Fn, t.Param, t.Buffer, t.State]);

/** Words that begin a statement, field or item, and nothing inside of parentheses. */
function startsStatement(token: IToken, next: IToken | undefined): boolean {
  if (token.tokenType === t.Let) return next?.tokenType !== t.Colon;
  return fieldWords.has(token.tokenType) && next !== undefined && isIdentifier(next);
}

function isIdentifier(token: IToken): boolean {
  return tokenMatcher(token, t.Identifier);
}

function isAtMargin(source: Source, token: IToken): boolean {
  return token.startOffset === 0 || source.text[token.startOffset - 1] === '\n';
}

/** A token that is not in the text. */
function insertToken(type: TokenType, image: string, start: number): IToken {
  return createTokenInstance(type, image, start, start - 1, Number.NaN, Number.NaN, Number.NaN, Number.NaN);
}

/** The span of a token, which the lexer gives no end. */
export function spanOf({ startOffset, image }: IToken): Span {
  return { start: startOffset, end: startOffset + image.length };
}

/**
 * The documentation of what begins at an offset: the `##` comments on lines of their own right before it, without a
 * blank line between. The keys are the offsets of the tokens that follow them.
 */
export function documentation(source: Source, tokens: readonly IToken[], comments: readonly IToken[]) {
  const docs = new Map<number, string>();
  const hasBlankLine = (start: number, end: number) => /\n[ \t\r]*\n/.test(source.text.slice(start, end));
  let at = 0;
  let block: string[] = [];
  let blockEnd = 0;
  for (const comment of comments) {
    if (!comment.image.startsWith('##') || !isAlone(source, comment)) continue;
    const { start, end } = spanOf(comment);
    for (let token = tokens[at]; token && (token.startOffset < start || isBreak(token)); token = tokens[at]) {
      if (!isBreak(token)) block = [];
      at++;
    }
    if (hasBlankLine(blockEnd, start)) block = [];
    block.push(comment.image.slice(2).replace(/^ /, '').trimEnd());
    blockEnd = end;
    const next = tokens[at];
    if (next !== undefined && !hasBlankLine(end, next.startOffset)) docs.set(next.startOffset, block.join('\n'));
  }
  return docs;
}

function isBreak(token: IToken): boolean {
  return token.tokenType === t.Newline;
}

/** Whether nothing but space stands before a comment on its line. */
function isAlone(source: Source, comment: IToken): boolean {
  const lineStart = source.text.lastIndexOf('\n', comment.startOffset - 1) + 1;
  return source.text.slice(lineStart, comment.startOffset).trim() === '';
}
