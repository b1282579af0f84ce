/** What people who come from other languages write, and what tdsl says instead. */
import type { IToken } from 'chevrotain';
import { nearest } from '../diagnostics/nearest.js';
import type { DiagnosticParts } from '../diagnostics/report.js';
import type { Source } from '../diagnostics/source.js';
import { spanOf } from './layout.js';
import * as t from './tokens.js';

/** Words of other languages, and the help that a report of them gives. */
const foreignWords: ReadonlyMap<string, string> = new Map([
  ...['def', 'func', 'function', 'fun', 'sub'].map((word): [string, string] => [word, 'a function begins with `fn`']),
  ...['var', 'const', 'val', 'auto'].map((word): [string, string] => [word, 'a binding begins with `let`']),
  ...['class', 'struct', 'module'].map((word): [string, string] => [word, 'a model begins with `model`']),
  ['type', 'a model with its arguments has a name by `let Net = MLP(0.2)`'],
  ['return', 'the last expression of a block is its value: leave out `return`'],
  ['with', 'write `no_grad { … }` for values without derivative; nothing else needs to be opened or closed'],
  ['is', 'write `==`'],
  ['and', 'write `&&`'],
  ['or', 'write `||`'],
  ['not', 'write `!`'],
  ['elif', 'write `else if`'],
  ['elseif', 'write `else if`'],
  ['then', 'the branches of `if` stand in braces'],
  ['lambda', 'write `x => …` or `(x, y) => …`'],
  ['pass', 'an empty block is `{}`'],
  ['pub', 'write `export fn`'],
  ['use', 'write `import std.nn { Linear }`'],
  ['include', 'write `import std.nn { Linear }`'],
  ['require', 'write `import std.nn { Linear }`'],
  ['loop', 'write `while condition max n from x = init { … }`, or `fold`'],
]);

/** Characters that mean something elsewhere. */
const foreignCharacters: ReadonlyMap<string, string> = new Map([
  ["'", 'strings stand between double quotes'],
  ['`', 'strings stand between double quotes'],
  ['&', 'write `&&`'],
  ['^', 'a power is `a ** b`'],
  ['~', 'negation is `!`'],
  ['−', 'write the minus sign `-`'],
  ['×', 'write `*`'],
  ['…', 'write `...`'],
  ['“', 'write the quotation mark `"`'],
  ['”', 'write the quotation mark `"`'],
]);

type Hint = Pick<DiagnosticParts, 'help'>;

/** Help about characters that begin no token. */
export function explainCharacter(text: string): Hint {
  const help = foreignCharacters.get([...text][0] ?? '');
  return help === undefined ? {} : { help };
}

/** The Greek letters in the order of the alphabet, without the second form of sigma, and their names. */
const greek = new Map(
  [
    ...['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta', 'iota', 'kappa', 'lambda', 'mu', 'nu'],
    ...['xi', 'omicron', 'pi', 'rho', 'sigma', 'tau', 'upsilon', 'phi', 'chi', 'psi', 'omega'],
  ].map((name, i): [string, string] => [[...'αβγδεζηθικλμνξοπρστυφχψω'][i] ?? '', name]),
);

/** Help about names with letters that are not of ASCII: Greek ones have names. */
export function explainName(text: string): Hint {
  const spelt = [...text].map((letter) => greek.get(letter.toLowerCase()) ?? letter).join('');
  const rule = 'names take letters of ASCII, digits and `_`';
  return { help: /^\w+$/.test(spelt) ? `${rule}: write \`${spelt}\`` : rule };
}

export interface UnexpectedHint {
  readonly code: 'E0105' | 'E0106';
  /** What replaces or completes the report. */
  readonly parts: Partial<Pick<DiagnosticParts, 'span' | 'label' | 'help'>>;
}

/** What is likely to be meant where the token at `index` does not belong. */
export function explainUnexpected(
  source: Source,
  tokens: readonly IToken[],
  index: number,
): UnexpectedHint | undefined {
  const token = tokens[index];
  const previous = tokens[index - 1];
  for (const word of [token, previous]) {
    const help = word?.tokenType === t.Identifier ? foreignWords.get(word.image) : undefined;
    if (word && help) return { code: 'E0106', parts: { span: spanOf(word), label: 'not a word of tdsl', help } };
  }
  const slashes = commentSlashes(source, token, previous);
  if (slashes) {
    const help = 'comments begin with `#`; `//` is floor division';
    return { code: 'E0106', parts: { span: spanOf(slashes), label: 'not a comment', help } };
  }
  const help = helpFor(source, tokens, index);
  return help === undefined ? undefined : { code: 'E0105', parts: { help } };
}

/** The `//` that probably begins a comment: at the beginning of a line, or with words after its right operand. */
function commentSlashes(source: Source, token: IToken | undefined, previous: IToken | undefined): IToken | undefined {
  if (token?.tokenType === t.SlashSlash) return token;
  if (previous?.tokenType === t.SlashSlash) return previous;
  if (token === undefined || previous === undefined || token.tokenType === t.Newline) return undefined;
  const lineStart = source.text.lastIndexOf('\n', token.startOffset) + 1;
  const at = source.text.slice(lineStart, token.startOffset).indexOf('//');
  if (at < 0) return undefined;
  return { ...previous, image: '//', startOffset: lineStart + at, endOffset: lineStart + at + 1 };
}

/** Words whose block other languages open with a colon. */
const blockWords: ReadonlySet<unknown> = new Set([t.If, t.Else, t.For]);

function helpFor(source: Source, tokens: readonly IToken[], index: number): string | undefined {
  const token = tokens[index];
  const previous = tokens[index - 1];
  if (token === undefined) return undefined;
  if (token.tokenType === t.Equals && previous && tokens[index - 2]?.tokenType !== t.Let) {
    if (isInside(tokens, index, t.LeftParen)) return `a named argument is \`${previous.image}: value\``;
  }
  if (token.tokenType === t.FatArrow && tokens.slice(0, index).some(({ tokenType }) => tokenType === t.Fn)) {
    return 'the type of a result stands after `->`, the body after `=`; `=>` belongs to lambdas';
  }
  const block = blockAsRecord(source, tokens, index);
  if (block !== undefined) return block;
  const atLineStart = previous === undefined || previous.tokenType === t.Newline;
  const first = lineStart(source, tokens, token).tokenType;
  if (token.tokenType === t.Question || (token.tokenType === t.If && !atLineStart)) {
    return '`if c { a } else { b }` is an expression; `where(c, a, b)` chooses element by element';
  }
  if (token.tokenType === t.LeftBrace && lineHolds(source, tokens, index, t.While)) {
    return '`while` is an expression that carries a value: `let x = while x < 3 max 100 from x = x0 { x + 1 }`; `fold` goes over a range';
  }
  if (token.tokenType === t.Equals && isSubModel(source, tokens, index)) {
    const { image } = lineStart(source, tokens, token);
    return `a constant of a model is \`let ${image} = …\`; what a use chooses is a parameter: \`model Name(${image}: int = …)\``;
  }
  if (token.tokenType === t.Colon && (first === t.Fn || first === t.Export))
    return 'the type of a result stands after `->`';
  if (token.tokenType === t.Colon && blockWords.has(first)) return 'what belongs to it stands in braces';
  if (token.tokenType === t.From && atLineStart) return 'write `import std.nn { Linear }`';
  if (token.tokenType === t.Newline && first === t.Import)
    return 'what is imported is named: `import std.nn { Linear }`';
  if (token.tokenType === t.Identifier && tokens[index + 1]?.tokenType === t.Equals) {
    const { image } = token;
    return isInside(tokens, index, t.LeftBrace)
      ? `a part of a model is \`${image}: …\``
      : `a constant is \`let ${image} = …\``;
  }
  if (token.tokenType === t.Else) return 'what elements outside of a tensor are stands after an index: `x[i] else 0`';
  if (atLineStart && token.tokenType.CATEGORIES?.includes(t.Infix)) {
    return 'a line goes on where it ends in an operator: put the operator at the end of the line before';
  }
  if (previous?.tokenType === t.Newline && token.tokenType === t.LeftBracket) {
    return 'an index stands on the same line as what it indexes';
  }
  for (const word of [token, previous]) {
    const nearest = word?.tokenType === t.Identifier ? nearestKeyword(word.image) : undefined;
    if (nearest !== undefined) return `did you mean \`${nearest}\`?`;
  }
  if (t.keywords.includes(token.tokenType) && !token.tokenType.CATEGORIES?.includes(t.Identifier)) {
    return `\`${token.image}\` is a word of the language; it names only arguments and fields`;
  }
  return undefined;
}

/** Whether a token of a type stands before another one on its line. */
function lineHolds(source: Source, tokens: readonly IToken[], index: number, type: unknown): boolean {
  const first = tokens.indexOf(lineStart(source, tokens, tokens[index] as IToken));
  return tokens.slice(first, index).some(({ tokenType }) => tokenType === type);
}

/** Whether the line begins with a name and a colon, as a part of a model does. */
function isSubModel(source: Source, tokens: readonly IToken[], index: number): boolean {
  const first = tokens.indexOf(lineStart(source, tokens, tokens[index] as IToken));
  return tokens[first + 1]?.tokenType === t.Colon && isInside(tokens, index, t.LeftBrace);
}

/** A block where only a record can stand. */
function blockAsRecord(source: Source, tokens: readonly IToken[], index: number): string | undefined {
  const at = innermostOpener(tokens, index);
  const [brace, before] = [tokens[at], tokens[at - 1]];
  const isRecord = tokens[at + 2]?.tokenType === t.Colon || tokens[at + 3]?.tokenType === t.Colon;
  if (brace?.tokenType !== t.LeftBrace || isRecord) return undefined;
  const first = lineStart(source, tokens, brace).tokenType;
  if (before?.tokenType === t.Equals && (first === t.Fn || first === t.Export))
    return 'a block follows the signature without `=`: `fn f(x: f32[n]) -> f32 { … }`';
  return tokens[index - 1]?.tokenType === t.Let
    ? 'a brace that begins an expression is a record; blocks belong to functions, `if`, loops and `=>`'
    : undefined;
}

/** The first token of the line that a token is on. */
function lineStart(source: Source, tokens: readonly IToken[], token: IToken): IToken {
  const start = source.text.lastIndexOf('\n', token.startOffset - 1) + 1;
  return tokens.find(({ startOffset }) => startOffset >= start) ?? token;
}

/** Whether the innermost bracket that is open before a token is of a type. */
const isInside = (tokens: readonly IToken[], index: number, opener: unknown): boolean =>
  tokens[innermostOpener(tokens, index)]?.tokenType === opener;

/** The place of the innermost bracket that is open before a token, or -1. */
function innermostOpener(tokens: readonly IToken[], index: number): number {
  let depth = 0;
  for (let at = index - 1; at >= 0; at--) {
    const type = tokens[at]?.tokenType;
    if (type === t.RightParen || type === t.RightBracket || type === t.RightBrace) depth++;
    if (type === t.LeftParen || type === t.LambdaParen || type === t.LeftBracket || type === t.LeftBrace) {
      if (depth === 0) return at;
      depth--;
    }
  }
  return -1;
}

const itemWords = [
  'fn',
  'model',
  'import',
  'export',
  'dim',
  'default_float',
  'let',
  'param',
  'buffer',
  'state',
  'derivative',
  'while',
];

/** The word of the language that is most likely meant by a misspelt one; the first letter is rarely wrong. */
function nearestKeyword(word: string): string | undefined {
  return nearest(
    word,
    itemWords.filter((keyword) => keyword[0] === word[0]),
  );
}
