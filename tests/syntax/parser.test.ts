/** The parser: shapes of trees, spans, documentation, recovery. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDiagnostics } from '../../compiler/diagnostics/report.js';
import type * as ast from '../../compiler/syntax/ast.js';
import { printExpression } from '../../compiler/syntax/format.js';
import { Grammar } from '../../compiler/syntax/grammar/items.js';
import { parseExpression, parseFile } from '../../compiler/syntax/parser.js';
import { makeLexer } from '../../compiler/syntax/tokens.js';
import { draws } from '../support/property.js';

function expression(text: string): ast.Expr {
  const { expr, diagnostics } = parseExpression({ path: 'test.td', text });
  assert.is(renderDiagnostics(diagnostics), '');
  return expr;
}

function items(text: string): readonly ast.Item[] {
  const { file, diagnostics } = parseFile({ path: 'test.td', text });
  assert.is(renderDiagnostics(diagnostics), '');
  return file.items;
}

/** The block that is the body of the first function of a text. */
function body(text: string): ast.Block {
  const [fn] = items(text);
  if (fn?.kind !== 'Fn' || fn.body.kind !== 'Block') throw new Error(`no function with a block: ${text}`);
  return fn.body;
}

function codes(text: string): string[] {
  return parseFile({ path: 'test.td', text }).diagnostics.map(({ code }) => code);
}

/** The tree with all its parentheses. */
function grouped(expr: ast.Expr): string {
  switch (expr.kind) {
    case 'Binary':
      return `(${grouped(expr.left)} ${expr.operator} ${grouped(expr.right)})`;
    case 'Pipe':
      return `(${grouped(expr.value)} |> ${grouped(expr.target)})`;
    case 'Range':
      return `(${grouped(expr.start)}..${grouped(expr.end)})`;
    case 'Unary':
      return `(${expr.operator}${grouped(expr.operand)})`;
    case 'Reduction':
      return `(${expr.reducer.name}: ${grouped(expr.body)})`;
    case 'Lambda':
      return expr.body.kind === 'Block' ? '{}' : `(=> ${grouped(expr.body)})`;
    default:
      return printExpression(expr);
  }
}

test('the grammar and the tokens are sound', () => {
  makeLexer(true);
  new Grammar({ validate: true });
});

test('operators bind as documented', () => {
  const cases = {
    '-x ** 2': '(-(x ** 2))',
    '2 ** -x': '(2 ** (-x))',
    'a ** b ** c': '(a ** (b ** c))',
    'a - b - c': '((a - b) - c)',
    'a + b * c @ d': '(a + ((b * c) @ d))',
    '!a == b': '((!a) == b)',
    'a || b && c == d': '(a || (b && (c == d)))',
    '0..n + 1': '(0..(n + 1))',
    'a < b |> f': '((a < b) |> f)',
    'a |> f |> g': '((a |> f) |> g)',
    'sum over k: a + b': '(sum: (a + b))',
    'a * sum over k: b + c': '(a * (sum: (b + c)))',
    'x => x |> f': '(=> (x |> f))',
    'x[i] else -1 * 2': '(x[i] else -1 * 2)',
    'a // b / c % d': '(((a // b) / c) % d)',
  };
  for (const [text, want] of Object.entries(cases)) assert.is(grouped(expression(text)), want, text);
});

test('numbers and strings have exact values', () => {
  assert.is((expression('9223372036854775807') as ast.IntLiteral).value, 9223372036854775807n);
  assert.is((expression('1_000') as ast.IntLiteral).value, 1000n);
  assert.is((expression('0xFF') as ast.IntLiteral).value, 255n);
  assert.is((expression('1_0.5e-1') as ast.FloatLiteral).value, 1.05);
  assert.is((expression('inf') as ast.FloatLiteral).value, Number.POSITIVE_INFINITY);
  assert.is((expression('"a\\n\\"\\u{1F600}\\\\"') as ast.StringLiteral).value, 'a\n"😀\\');
});

test('words that begin like keywords are names', () => {
  for (const word of ['inference', 'iff', 'format', 'nonempty', 'fnord', 'letter', 'maximum', 'information', '_x']) {
    assert.is(expression(word).kind, 'Name', word);
  }
});

test('contextual words are names where they are not keywords', () => {
  assert.is(expression('max(x, dim: 1, from: 2, if: 3)').kind, 'Call');
  assert.is(expression('fold(input, output_size: [2, 2])').kind, 'Call');
  assert.is(expression('where(a > 0, a, 0)').kind, 'Call');
  assert.is(expression('map(x)').kind, 'Call');
  assert.is(expression('x.max').kind, 'Member');
  assert.is(expression('sum(over)').kind, 'Call');
  assert.is(expression('fold (x, y) from (0, 0) { (a, b) => a }').kind, 'Fold');
  assert.is(expression('[fold, from]').kind, 'List');
});

test('lines end statements, except where they cannot', () => {
  const called = body('fn f(x: f32) {\n  let h = tanh(x)\n  (h, h)\n}\n');
  assert.is(called.statements.length, 1);
  assert.is(called.value?.kind, 'Tuple');
  assert.is(body('fn f(x: f32) {\n  x\n  -x\n}').statements.length, 1);
  assert.is(body('fn f(x: f32) {\n  x -\n  x |> f\n  |> g; x\n}').statements.length, 1);
  assert.is(expression('[1,\n 2\n,\n 3]').kind, 'List');
  assert.is(items('fn f(x: f32) -> f32\n{\n  if x { 1 }\n  else { 2 }\n}').length, 1);
});

test('a block, a record and a braced lambda are told apart', () => {
  const after = (text: string) => (expression(text) as ast.Lambda).body.kind;
  assert.is(after('x => { x }'), 'Block');
  assert.is(after('x => { a: x }'), 'Record');
  assert.is(after('x => {}'), 'Block');
  assert.is(after('x => ({})'), 'Record');
  assert.is(expression('{ a: 1, if: 2 }').kind, 'Record');
});

test('indices', () => {
  const { items: parts } = expression('x[0, :, 1:3, ::2, ..., none, i, -1:]') as ast.Index;
  const kinds = ['IntLiteral', 'Slice', 'Slice', 'Slice', 'Ellipsis', 'NoneLiteral', 'Name', 'Slice'];
  assert.equal(
    parts.map(({ kind }) => kind),
    kinds,
  );
});

test('an index definition is told from an assignment', () => {
  const statement = (text: string) => body(`fn f(x: f32) {\n${text}\n}`).statements[0]?.kind;
  assert.is(statement('out[n, o in 0..k] = sum over k: x[n, k] * w[k, o]'), 'IndexDefinition');
  assert.is(statement('net.fc[0].weight -= 1'), 'Assign');
  assert.is(statement('x = x[i] == 2'), 'Assign');
  assert.is(statement('x[i] == 2; x'), 'Binary');
});

test('spans cover the text of each node', () => {
  const text = 'f(a + (b * c), k: x[1:2])  # comment';
  const call = expression(text) as ast.Call;
  const slice = ({ span }: { span: { start: number; end: number } }) => text.slice(span.start, span.end);
  assert.is(slice(call), 'f(a + (b * c), k: x[1:2])');
  const [sum, named] = call.args;
  assert.is(sum && slice(sum.value), 'a + (b * c)');
  assert.is(sum && slice((sum.value as ast.Binary).right), '(b * c)');
  assert.is(named && slice(named), 'k: x[1:2]');
  assert.is(named?.name && slice(named.name), 'k');
});

test('documentation belongs to what follows it', () => {
  const text = [
    '## A file comment, apart.',
    '',
    '## First line.',
    '##  Second.',
    'model M(',
    '  ## The width.',
    '  width: int,',
    ') {',
    '  ## A child.',
    '  # with a remark',
    '  fc: Linear(1, 2)  ## not documentation',
    '  param w: f32',
    '}',
  ].join('\n');
  const [model] = items(text) as ast.Model[];
  assert.is(model?.docs, 'First line.\n Second.');
  assert.is(model?.params[0]?.docs, 'The width.');
  assert.equal(
    model?.fields.map((field) => ('docs' in field ? field.docs : undefined)),
    ['A child.', undefined],
  );
});

test('several errors are reported at once, and the rest of the tree is there', () => {
  const text = `model A {
  fc: Linear(2, , 3)
  param w: f32[2 = zeros
  fn forward(x: f32[n]) -> f32 {
    let y = (x + 1
    let z = y * * 2
    y
  }
}
improt std.nn { B }
fn g(x: f32) -> f32 = x and 1
fn ok() = 1
`;
  const { file, diagnostics } = parseFile({ path: 'bad.td', text });
  const found = diagnostics.map(({ code, source, span }) => `${code} ${source.text.slice(span.start, span.end)}`);
  assert.equal(found, ['E0105 ,', 'E0103 [', 'E0105 =', 'E0103 (', 'E0105 *', 'E0105 improt', 'E0106 and']);
  assert.equal(
    file.items.map((item) => ('name' in item ? item.name.name : item.kind)),
    ['A', 'Error', 'g', 'ok'],
  );
  const [model] = file.items as ast.Model[];
  assert.equal(
    model?.fields.map(({ kind }) => kind),
    ['ChildField', 'TensorField', 'Fn'],
  );
  const forward = model?.fields[2] as ast.Fn;
  assert.is((forward.body as ast.Block).statements.length, 2);
});

test('an unclosed bracket does not swallow what follows', () => {
  const { file, diagnostics } = parseFile({
    path: 'bad.td',
    text: 'model M {\n  fc: Linear(1, 2\n\nexport fn f(x: f32) -> f32 = x\nfn g(x: f32) = f(x\nfn h() = 1\n',
  });
  assert.equal(
    diagnostics.map(({ code }) => code),
    ['E0103', 'E0103', 'E0103'],
  );
  assert.equal(
    file.items.map((item) => ('name' in item ? item.name.name : item.kind)),
    ['M', 'f', 'g', 'h'],
  );
});

test('what follows an error on its line is not reported', () => {
  assert.equal(codes("fn f(x: f32) = 'abc' + x $ 2\nfn g() = 1 +* 2"), ['E0101', 'E0105']);
});

test('deep nesting is reported, not a crash', () => {
  const nested = (open: string, close: string, n: number) => `let x = ${open.repeat(n)}y${close.repeat(n)}`;
  assert.equal(codes(nested('f(', ')', 90)), []);
  assert.equal(codes(nested('(', ')', 200_000)), ['L0906']);
  assert.equal(codes(nested('-', '', 200_000)), ['L0906']);
  assert.equal(codes('let x = 1'), []);
});

test('texts cut, doubled or shuffled anywhere are parsed without a crash', () => {
  const text = readFileSync('tests/syntax/samples/grammar.td', 'utf8');
  const offset = fc.nat(text.length);
  const piece = fc.constantFrom(
    '',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    '=>',
    '=',
    ':',
    '\n',
    '"',
    '1.',
    ' fn ',
    ' let ',
    '$',
  );
  fc.assert(
    fc.property(offset, offset, piece, (a, b, insert) => {
      const edited = text.slice(0, a) + insert + text.slice(b);
      const { file, diagnostics } = parseFile({ path: 'edited.td', text: edited });
      assert.is(file.kind, 'File');
      for (const { span } of diagnostics) {
        assert.is(span.start <= span.end && span.end <= edited.length, true);
      }
      renderDiagnostics(diagnostics);
    }),
    draws(80),
  );
});

test.run();
