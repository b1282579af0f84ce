/** What is printed parses back to the same tree, for random trees. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDiagnostics } from '../../compiler/diagnostics/report.js';
import { formatFile, printAst, printExpression } from '../../compiler/syntax/format.js';
import { parseExpression, parseFile } from '../../compiler/syntax/parser.js';
import { draws } from '../support/property.js';
import { expr, file } from './arbitrary.js';
import { normalize } from './normalize.js';

test('random expressions', () => {
  fc.assert(
    fc.property(expr, (tree) => {
      const text = printExpression(tree);
      const parsed = parseExpression({ path: 'random.td', text });
      assert.is(renderDiagnostics(parsed.diagnostics), '', text);
      assert.equal(normalize(parsed.expr), normalize(tree), text);
    }),
    draws(200),
  );
});

test('random files, broken over lines; formatting what was printed changes nothing', () => {
  fc.assert(
    fc.property(file, (tree) => {
      const text = printAst(tree);
      const parsed = parseFile({ path: 'random.td', text });
      assert.is(renderDiagnostics(parsed.diagnostics), '', text);
      assert.equal(normalize(parsed.file), normalize(tree), text);
      assert.is(formatFile({ path: 'random.td', text }).text, text);
    }),
    draws(60),
  );
});

test.run();
