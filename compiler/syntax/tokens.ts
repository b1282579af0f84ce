/** The tokens of tdsl and their lexer. What lines mean is the business of `layout.ts`. */
import { createToken, Lexer, type TokenType } from 'chevrotain';

/** Any word at all: what the names of arguments and fields may be. */
export const Word = createToken({ name: 'Word', label: 'a name', pattern: Lexer.NA });
export const Identifier = createToken({
  name: 'Identifier',
  label: 'a name',
  pattern: /[A-Za-z_]\w*/,
  categories: [Word],
});
/** Letters of other alphabets: reported after lexing, and a name for the grammar, so that the report is the only one. */
const foreign = 'À-ÖØ-öø-ɏͰ-ϿЀ-ԯぁ-ヿ一-鿿';
export const ForeignName = createToken({
  name: 'ForeignName',
  label: 'a name',
  pattern: new RegExp(`(?:[A-Za-z_]\\w*)?[${foreign}][\\w${foreign}]*`),
  categories: [Identifier],
});
/** An operator between two operands, `**` apart. */
export const Infix = createToken({ name: 'Infix', label: 'an operator', pattern: Lexer.NA });
export const AssignmentSign = createToken({ name: 'AssignmentSign', label: '`=`', pattern: Lexer.NA });

function word(image: string, categories: TokenType): TokenType {
  const name =
    image === '_' ? 'Underscore' : image.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return createToken({ name, label: `\`${image}\``, pattern: image, longer_alt: Identifier, categories: [categories] });
}

function sign(name: string, image: string, categories: TokenType[] = []): TokenType {
  return createToken({ name, label: `\`${image}\``, pattern: image, categories });
}

// Reserved words name nothing but arguments and fields.
export const Fn = word('fn', Word);
export const Let = word('let', Word);
export const If = word('if', Word);
export const Else = word('else', Word);
export const For = word('for', Word);
export const In = word('in', Word);
export const While = word('while', Word);
export const Mut = word('mut', Word);
export const Import = word('import', Word);
export const Export = word('export', Word);
export const True = word('true', Word);
export const False = word('false', Word);
export const None = word('none', Word);
export const Inf = word('inf', Word);
export const Nan = word('nan', Word);

// Contextual words are keywords in one place of the grammar and names everywhere else.
export const Tdsl = word('tdsl', Identifier);
export const Model = word('model', Identifier);
export const Dim = word('dim', Identifier);
export const DefaultFloat = word('default_float', Identifier);
export const As = word('as', Identifier);
export const Param = word('param', Identifier);
export const Buffer = word('buffer', Identifier);
export const State = word('state', Identifier);
export const Derivative = word('derivative', Identifier);
export const Like = word('like', Identifier);
export const Fold = word('fold', Identifier);
export const Scan = word('scan', Identifier);
export const MapWord = word('map', Identifier);
export const NoGrad = word('no_grad', Identifier);
export const From = word('from', Identifier);
export const Over = word('over', Identifier);
export const Max = word('max', Identifier);
export const Where = word('where', Identifier);
export const Underscore = word('_', Identifier);

const int = /(?:0[xX][\dA-Fa-f][\dA-Fa-f_]*|\d[\d_]*)(?!\w|\.(?!\.))/;
const float = /\d[\d_]*(?:\.\d[\d_]*(?:[eE][+-]?\d[\d_]*)?|[eE][+-]?\d[\d_]*)(?!\w|\.(?!\.))/;

export const Float = createToken({ name: 'Float', label: 'a number', pattern: float });
export const Int = createToken({ name: 'Int', label: 'an integer', pattern: int });
/** Starts like a number and is none; reported after lexing, and a number for the grammar. */
export const BadNumber = createToken({
  name: 'BadNumber',
  label: 'a number',
  pattern: /\d\w*(?:\.(?!\.)\w*)?|\.\d\w*/,
  categories: [Float],
});
export const Text = createToken({ name: 'Text', label: 'a string', pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"/ });
/** Reported after lexing, and a string for the grammar. */
export const OpenText = createToken({
  name: 'OpenText',
  label: 'a string',
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*\\?/,
  categories: [Text],
});

export const LeftParen = sign('LeftParen', '(');
/** The parenthesis around the parameters of a lambda; `layout.ts` finds them. */
export const LambdaParen = createToken({
  name: 'LambdaParen',
  label: '`(`',
  pattern: Lexer.NA,
  categories: [LeftParen],
});
export const RightParen = sign('RightParen', ')');
export const LeftBracket = sign('LeftBracket', '[');
export const RightBracket = sign('RightBracket', ']');
export const LeftBrace = sign('LeftBrace', '{');
export const RightBrace = sign('RightBrace', '}');

export const Ellipsis = sign('Ellipsis', '...');
const DotDot = sign('DotDot', '..', [Infix]);
export const Dot = sign('Dot', '.');
export const Comma = sign('Comma', ',');
export const Semicolon = sign('Semicolon', ';');
export const Colon = sign('Colon', ':');
export const Question = sign('Question', '?');
export const ThinArrow = sign('ThinArrow', '->');
export const FatArrow = sign('FatArrow', '=>');
export const Equals = sign('Equals', '=', [AssignmentSign]);
const compoundAssignments = [
  sign('PlusEquals', '+=', [AssignmentSign]),
  sign('MinusEquals', '-=', [AssignmentSign]),
  sign('StarEquals', '*=', [AssignmentSign]),
  sign('SlashEquals', '/=', [AssignmentSign]),
];
export const Pipe = sign('Pipe', '|>', [Infix]);
export const Bar = sign('Bar', '|');
export const Bang = sign('Bang', '!');
export const Minus = sign('Minus', '-', [Infix]);
export const Star = sign('Star', '*', [Infix]);
export const Power = sign('Power', '**');
export const SlashSlash = sign('SlashSlash', '//', [Infix]);
const otherInfix = [
  sign('BarBar', '||', [Infix]),
  sign('AmpersandAmpersand', '&&', [Infix]),
  sign('EqualsEquals', '==', [Infix]),
  sign('BangEquals', '!=', [Infix]),
  sign('LessEquals', '<=', [Infix]),
  sign('Less', '<', [Infix]),
  sign('GreaterEquals', '>=', [Infix]),
  sign('Greater', '>', [Infix]),
  sign('Plus', '+', [Infix]),
  sign('Slash', '/', [Infix]),
  sign('Percent', '%', [Infix]),
  sign('At', '@', [Infix]),
];

/** The end of a line where it ends a statement; the lexer gives one for every line, and `layout.ts` takes most away. */
export const Newline = createToken({
  name: 'Newline',
  label: 'the end of the line',
  pattern: /\r?\n/,
  line_breaks: true,
});

/** The group of the lexer's result that holds the comments, documentation (`##`) among them. */
export const commentGroup = 'comments';
const Comment = createToken({ name: 'Comment', pattern: /#[^\r\n]*/, group: commentGroup });
const Space = createToken({ name: 'Space', pattern: /[ \t\f\u00a0\ufeff]+|\r(?!\n)/, group: Lexer.SKIPPED });

const longestFirst = (a: TokenType, b: TokenType) => String(b.PATTERN).length - String(a.PATTERN).length;

/** The words that the language gives a meaning, reserved or contextual. */
export const keywords: readonly TokenType[] = [
  ...[Fn, Let, If, Else, For, In, While, Mut, Import, Export, True, False, None, Inf, Nan],
  ...[Tdsl, Model, Dim, DefaultFloat, As, Param, Buffer, State, Derivative, Like],
  ...[Fold, Scan, MapWord, NoGrad, From, Over, Max, Where, Underscore],
].sort(longestFirst);

const signs = [
  ...[LeftParen, RightParen, LeftBracket, RightBracket, LeftBrace, RightBrace],
  ...[Ellipsis, DotDot, Dot, Comma, Semicolon, Colon, Question, ThinArrow, FatArrow, Equals, ...compoundAssignments],
  ...[Pipe, Bar, Bang, Minus, Star, Power, SlashSlash, ...otherInfix],
].sort(longestFirst);

/** Every token type; the lexer takes the first that matches, so longer words and signs stand before their beginnings. */
export const vocabulary: readonly TokenType[] = [
  ...[Space, Newline, Comment, ForeignName],
  ...keywords,
  ...[Identifier, Float, Int, Text, OpenText],
  ...signs.filter((type) => String(type.PATTERN).length > 1),
  BadNumber,
  ...signs.filter((type) => String(type.PATTERN).length === 1),
  ...[Word, Infix, AssignmentSign, LambdaParen],
];

/** Makes the lexer; `validate` also checks the token definitions, which a test does once. */
export function makeLexer(validate = false): Lexer {
  return new Lexer([...vocabulary], {
    positionTracking: 'onlyOffset',
    ensureOptimizations: true,
    skipValidations: !validate,
  });
}
