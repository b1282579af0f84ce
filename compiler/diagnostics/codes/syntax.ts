/** E01xx: the text is not a tdsl program. */
import type { Codes } from './entry.js';

export const syntaxCodes = {
  E0101: {
    class: 'user',
    title: 'this character does not belong here',
    explanation: `The text holds a character that begins nothing in the language. Names are made of letters of ASCII, digits and
\`_\`; comments begin with \`#\`; strings are written between double quotes.`,
    example: `fn f(x: f32) -> f32 = x $ 2`,
  },
  E0102: {
    class: 'user',
    title: 'this string is not closed',
    explanation: `A string begins and ends with \`"\` on one line. Inside, \`\\"\`, \`\\\\\`, \`\\n\`, \`\\t\`, \`\\r\` and \`\\u{1F600}\` are escapes.`,
    example: `fn f(x: f32[4]) -> f32[6] = pad(x, [1, 1], mode: "circular)`,
  },
  E0103: {
    class: 'user',
    title: 'this bracket is never closed',
    explanation: `Every \`(\`, \`[\` and \`{\` needs its partner. The report points at the bracket that was left open; the place where it
should have closed is usually at the end of that line or construct.`,
    example: `fn f(x: f32) -> f32 = exp(x
fn g(x: f32) -> f32 = x`,
  },
  E0104: {
    class: 'user',
    title: 'this bracket closes nothing',
    explanation:
      'There is a closing bracket without an open one before it, or one of another sort than the bracket that is open.',
    example: `fn f(x: f32) -> f32 = exp(x))`,
  },
  E0105: {
    class: 'user',
    title: 'something else was expected here',
    explanation: `The text does not follow the grammar: see the reference of the language. Statements end at the end of the line or
with \`;\`. A line continues where it ends in an operator, or where brackets are open; an operator at the beginning of a line does
not continue the line before, except \`|>\`.`,
    example: `fn f(x: f32) -> f32 = x + * 2`,
  },
  E0106: {
    class: 'user',
    title: 'this is how another language says it',
    explanation: `Words and signs of other languages that have another form here: \`fn\` for \`def\` and \`func\`, \`let\` for \`var\` and
\`const\`, \`#\` for \`//\` before a comment, \`&&\`, \`||\` and \`!\` for \`and\`, \`or\` and \`not\`, \`none\`, \`true\`, \`false\` in lower case.
The last expression of a block is its value, so there is no \`return\`.`,
    example: `func f(x: f32) -> f32 = x`,
  },
  E0107: {
    class: 'user',
    title: 'comparisons do not chain',
    explanation: 'Comparisons and ranges do not associate. Write `a < b && b < c`.',
    example: `fn f(x: f32) -> bool = 0 < x < 1`,
  },
  E0108: {
    class: 'user',
    title: 'this cannot be assigned to',
    explanation: `The left side of \`=\` is a name, a field such as \`net.weight\`, or, to define a tensor element by element, a name with
index variables: \`out[i, j] = …\`. Values are pure: to replace elements of a tensor, bind the result of \`update(x, [1:3], v)\`.`,
    example: `fn f(x: f32) -> f32 {
  f(x) = 2
  x
}`,
  },
  E0109: {
    class: 'user',
    title: 'this number is not well formed',
    explanation: `Integers are \`12\`, \`1_000\`, \`0x1f\`; real numbers have digits on both sides of the point: \`1.0\`, \`0.5\`, \`1e-3\`.
A name does not begin with a digit.`,
    example: `fn f(x: f32) -> f32 = x * 1.`,
  },
  E0110: {
    class: 'user',
    title: 'this escape is unknown',
    explanation: `The escapes of a string are \`\\"\`, \`\\\\\`, \`\\n\`, \`\\t\`, \`\\r\` and \`\\u{…}\` with the hexadecimal number of a Unicode character.`,
    example: `fn f(x: f32[4]) -> f32[6] = pad(x, [1, 1], mode: "\\q")`,
  },
  E0111: {
    class: 'user',
    title: 'this version of the language is unknown',
    explanation:
      'A file may begin with `tdsl 1`. That is the only version there is; a file with a later one needs a later tdsl.',
    example: `tdsl 2
fn f(x: f32) -> f32 = x`,
  },
  E0112: {
    class: 'user',
    title: 'a required part is missing',
    explanation: `An \`export fn\` that gives a value states its type, for its signature is what the host sees; every parameter of a function
states its type.`,
    example: `export fn f(x: f32) = x`,
  },
} as const satisfies Codes<'E01'>;
