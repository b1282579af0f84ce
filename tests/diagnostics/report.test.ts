/** How diagnostics look. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnostic, renderDiagnostic, sortDiagnostics, toJson } from '../../compiler/diagnostics/report.js';
import { positionAt, type Source } from '../../compiler/diagnostics/source.js';

const text = 'let a = 1\nlet h = x\n    h @ w2 + b2\nlet z = 3\n';
const source: Source = { path: 'examples/broken.td', text };

function spanOf(part: string, from: Source = source) {
  const start = from.text.indexOf(part);
  return { start, end: start + part.length };
}

function lines(...all: string[]): string {
  return all.join('\n');
}

test('a code frame with label, notes and help', () => {
  const d = diagnostic('E0312', {
    source,
    span: spanOf('h @ w2'),
    label: 'f32[B, 256] @ f32[128, 10]: the inner sizes differ, 256 against 128',
    notes: [
      { text: 'h is f32[B, 256]', span: spanOf('let h') },
      { text: 'w2 comes from elsewhere', span: { start: 0, end: 1 }, source: { path: 'other.td', text: 'w2' } },
      'both are matrices',
    ],
    help: 'did you mean f32[hidden, 10]?',
  });
  assert.is(
    renderDiagnostic(d),
    lines(
      'error[E0312]: these shapes do not multiply',
      '  ┌─ examples/broken.td:3:5',
      ' 3│     h @ w2 + b2',
      '  │     ^^^^^^ f32[B, 256] @ f32[128, 10]: the inner sizes differ, 256 against 128',
      '  = h is f32[B, 256] (line 2)',
      '  = w2 comes from elsewhere (other.td:1)',
      '  = both are matrices',
      '  help: did you mean f32[hidden, 10]?',
    ),
  );
});

test('a span over several lines, and a long one', () => {
  const two = diagnostic('E0105', { source, span: spanOf('x\n    h'), label: 'here' });
  assert.is(
    renderDiagnostic(two),
    lines(
      'error[E0105]: something else was expected here',
      '  ┌─ examples/broken.td:2:9',
      ' 2│ let h = x',
      '  │         ^',
      ' 3│     h @ w2 + b2',
      '  │     ^ here',
    ),
  );
  const many = { path: 'm.td', text: Array.from({ length: 120 }, (_, i) => `line ${i + 1}`).join('\n') };
  const d = diagnostic('E0105', { source: many, span: { start: 0, end: many.text.length }, message: 'all of it' });
  assert.is(
    renderDiagnostic(d),
    lines(
      'error[E0105]: all of it',
      '   ┌─ m.td:1:1',
      '  1│ line 1',
      '   │ ^^^^^^',
      '  2│ line 2',
      '   │ ^^^^^^',
      '   ┆',
      '119│ line 119',
      '   │ ^^^^^^^^',
      '120│ line 120',
      '   │ ^^^^^^^^',
    ),
  );
});

test('tabs, wide characters, combining marks, carriage returns', () => {
  const odd = { path: 'o.td', text: '\tlet "日本e\u0301" = x\r\nrest' };
  const d = diagnostic('E0105', { source: odd, span: spanOf('x', odd), message: 'm', label: 'l' });
  assert.is(
    renderDiagnostic(d),
    lines('error[E0105]: m', '  ┌─ o.td:1:15', ' 1│     let "日本e\u0301" = x', `  │ ${' '.repeat(18)}^ l`),
  );
});

test('a long line is cut around what is underlined', () => {
  const long = { path: 'l.td', text: `${'日x + '.repeat(100)}here${' + y'.repeat(100)}\nlet short = 1` };
  const d = diagnostic('E0105', { source: long, span: spanOf('here', long), message: 'm', label: 'l' });
  const shown = renderDiagnostic(d).split('\n');
  assert.is(shown[2]?.indexOf('here'), (shown[2]?.indexOf('+ here') as number) + 2);
  assert.match(shown[2] as string, /^ 1│ …[日x+ ]*\+ here( \+ y)+.*…$/);
  assert.ok((shown[2] as string).length < 180);
  // Each 日 takes two columns of the terminal.
  const columns =
    [...(shown[2] as string).slice(0, shown[2]?.indexOf('here'))].length + (shown[2]?.match(/日/g) ?? []).length;
  assert.is(shown[3], `${'  │'.padEnd(columns)}^^^^ l`);
  const whole = diagnostic('E0105', { source: long, span: { start: 0, end: long.text.length }, message: 'm' });
  assert.ok(
    renderDiagnostic(whole)
      .split('\n')
      .every((line) => line.length < 180),
  );
});

test('the end of the text and an empty span have one caret', () => {
  const end = diagnostic('E0105', { source, span: { start: text.length, end: text.length }, message: 'm' });
  assert.is(renderDiagnostic(end), lines('error[E0105]: m', '  ┌─ examples/broken.td:5:1', ' 5│', '  │ ^'));
  const empty = diagnostic('E0105', { source: { path: 'e.td', text: '' }, span: { start: 0, end: 0 }, message: 'm' });
  assert.is(renderDiagnostic(empty), lines('error[E0105]: m', '  ┌─ e.td:1:1', ' 1│', '  │ ^'));
});

test('labels and help of several lines keep their indentation', () => {
  const d = diagnostic('E0105', { source, span: spanOf('a'), label: 'one\ntwo', help: 'three\nfour', message: 'm' });
  assert.is(
    renderDiagnostic(d),
    lines(
      'error[E0105]: m',
      '  ┌─ examples/broken.td:1:5',
      ' 1│ let a = 1',
      '  │     ^ one',
      '  │       two',
      '  help: three',
      '        four',
    ),
  );
});

test('colours only where they are wanted', () => {
  const d = diagnostic('E0105', { source, span: spanOf('a'), severity: 'warning' });
  assert.not.match(renderDiagnostic(d), '\u001b');
  assert.match(renderDiagnostic(d, { color: true }), '\u001b[1;33mwarning[E0105]\u001b[0m');
});

test('JSON has lines and columns', () => {
  const d = diagnostic('E0312', { source, span: spanOf('h @ w2'), notes: [{ text: 'n', span: spanOf('let z') }] });
  assert.equal(JSON.parse(JSON.stringify(toJson(d))), {
    code: 'E0312',
    class: 'user',
    severity: 'error',
    message: 'these shapes do not multiply',
    path: 'examples/broken.td',
    start: { line: 3, column: 5 },
    end: { line: 3, column: 11 },
    notes: [{ text: 'n', path: 'examples/broken.td', start: { line: 4, column: 1 } }],
  });
});

test('positions and order', () => {
  assert.equal(positionAt(source, 10), { line: 2, column: 1 });
  assert.equal(positionAt(source, 9999), { line: 5, column: 1 });
  const at = (start: number) => diagnostic('E0105', { source, span: { start, end: start + 1 } });
  assert.equal(
    sortDiagnostics([at(5), at(1), at(3)]).map(({ span }) => span.start),
    [1, 3, 5],
  );
});

test('control characters of a program are shown as escapes', () => {
  const odd: Source = { path: 'odd.td', text: 'let a = \u001b[31m+ x\u202e\n' };
  assert.is(
    renderDiagnostic(diagnostic('E0201', { source: odd, span: spanOf('x', odd), message: '`\u0007` is not known' })),
    lines(
      'error[E0201]: `\\u{7}` is not known',
      '  ┌─ odd.td:1:16',
      ' 1│ let a = \\u{1b}[31m+ x\\u{202e}',
      '  │                     ^',
    ),
  );
});

test.run();
