/** The catalogue: every syntax code has an example that gives it, and the page of all codes is up to date. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { catalogue, catalogueMarkdown, isDiagnosticCode } from '../../compiler/diagnostics/catalogue.js';
import { syntaxCodes } from '../../compiler/diagnostics/codes/syntax.js';
import { parseFile } from '../../compiler/syntax/parser.js';

for (const [code, { example }] of Object.entries(syntaxCodes)) {
  test(`the example of ${code} gives it, and nothing else`, () => {
    const { diagnostics } = parseFile({ path: `${code}.td`, text: example });
    assert.equal([...new Set(diagnostics.map((d) => d.code))], [code]);
  });
}

test('titles are lower-case phrases without a full stop', () => {
  for (const [code, { title }] of Object.entries(catalogue)) assert.match(title, /^[^A-Z].*[^.]$/, code);
});

test('limitations and bugs have codes of their own', () => {
  for (const [code, entry] of Object.entries(catalogue)) {
    const want = { E: 'user', L: 'limitation', B: 'bug' }[code[0] ?? ''];
    assert.is(entry.class, want, code);
  }
});

test('codes are told from other texts', () => {
  assert.is(isDiagnosticCode('E0101'), true);
  assert.is(isDiagnosticCode('toString'), false);
});

test('docs/errors.md is what the catalogue says', () => {
  assert.is(
    readFileSync('docs/errors.md', 'utf8'),
    catalogueMarkdown(),
    'run `node scripts/write-errors.js` after the build',
  );
});

test.run();
