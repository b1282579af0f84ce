/** The formatter keeps trees and comments, is idempotent, and lays out as the sample shows. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDiagnostics } from '../../compiler/diagnostics/report.js';
import { formatFile } from '../../compiler/syntax/format.js';
import { parseFile } from '../../compiler/syntax/parser.js';
import { draws } from '../support/property.js';
import { normalize } from './normalize.js';

const folder = path.resolve('tests/syntax/samples');
const samples = readdirSync(folder)
  .filter((name) => name.endsWith('.td') && !name.endsWith('.formatted.td'))
  .map((name) => ({ path: name, text: readFileSync(path.join(folder, name), 'utf8') }));

/** The comments, without what the formatter may change: their order, and how many `#` one has that moves. */
function comments(text: string): string[] {
  return parseFile({ path: 'comments.td', text })
    .comments.map((comment) => comment.text.replace(/^#+ */, ''))
    .sort();
}

function checkFormat(text: string): string {
  const before = parseFile({ path: 'before.td', text });
  assert.is(renderDiagnostics(before.diagnostics), '');
  const formatted = formatFile({ path: 'before.td', text }).text ?? '';
  const after = parseFile({ path: 'after.td', text: formatted });
  assert.is(renderDiagnostics(after.diagnostics), '', formatted);
  assert.equal(normalize(after.file), normalize(before.file), formatted);
  assert.equal(comments(formatted), comments(text), formatted);
  assert.is(formatFile({ path: 'after.td', text: formatted }).text, formatted);
  return formatted;
}

for (const sample of samples) {
  test(`${sample.path} keeps its meaning and comments`, () => {
    checkFormat(sample.text);
  });
}

test('the layout of every form is the one that is on record', () => {
  const text = readFileSync(path.join(folder, 'grammar.td'), 'utf8');
  const expected = readFileSync(path.join(folder, 'grammar.formatted.td'), 'utf8');
  assert.is(checkFormat(text), expected);
});

test('the programs of the reference are correct, and formatted', () => {
  const reference = readFileSync('docs/language.md', 'utf8');
  const programs = [...reference.matchAll(/```td\n(.*?)```/gs)].map(([, program = '']) => program);
  assert.is(programs.length > 3, true);
  for (const program of programs) assert.is(checkFormat(program), program);
});

test('line endings of other systems, tabs and odd spacing do not matter', () => {
  for (const { text } of samples) {
    const crlf = text.replaceAll('\n', '\r\n').replaceAll('  ', '\t');
    assert.is(formatFile({ path: 'crlf.td', text: crlf }).text, formatFile({ path: 'lf.td', text }).text);
  }
});

test('a text with errors is left alone', () => {
  const result = formatFile({ path: 'bad.td', text: 'fn f(x: f32 = x\n' });
  assert.is(result.text, undefined);
  assert.is(result.diagnostics.length > 0, true);
});

test('an empty file and a file of comments', () => {
  assert.is(formatFile({ path: 'empty.td', text: '\n\n' }).text, '');
  assert.is(formatFile({ path: 'comments.td', text: '\n# a\n\n\n## b\n' }).text, '# a\n\n## b\n');
});

test('where lines and comments may stand, they change nothing', () => {
  const tokens = samples.map(({ text }) => breakable(text));
  const inserts = ['\n', ' # c\n', '\n# c\n', '\n\n  ## c\n', '   '];
  fc.assert(
    fc.property(
      fc.nat(tokens.length - 1),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(...inserts)), { maxLength: 6 }),
      (which, edits) => {
        const pieces = [...(tokens[which] ?? [])];
        for (const [where, insert] of edits) {
          const at = Math.floor(where * (pieces.length - 1));
          pieces[at] += insert;
        }
        checkFormat(pieces.join(''));
      },
    ),
    draws(60),
  );
});

/** The text, cut after the characters that a line may end in wherever they stand. */
function breakable(text: string): string[] {
  return text.split(/(?<=^[^#"]*(?:, |\(|\[| [-+*@] |=> ))/m);
}

test.run();
