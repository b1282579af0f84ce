// The built-in functions: documented, apart from the library, and their reference up to date.

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../../cli/host.js';
import { builtins, builtinsMarkdown } from '../../../compiler/check/builtins/index.js';
import { Workspace } from '../../../compiler/index.js';

test('docs/builtins.md is what the declarations say', () => {
  assert.is(
    readFileSync('docs/builtins.md', 'utf8'),
    builtinsMarkdown(),
    'run `node scripts/write-builtins.js` after the build',
  );
});

test('every built-in says what it does', () => {
  for (const { name, doc, signature } of builtins().values()) {
    assert.ok(doc.endsWith('.') || doc.endsWith('`'), `${name}: ${doc}`);
    assert.ok(signature.startsWith(`${name}(`));
  }
});

test('no name is both a built-in and a function of the library', () => {
  const library = new Workspace(nodeHost()).libraryIndex();
  assert.equal(
    [...builtins().keys()].filter((name) => library.has(name)),
    [],
  );
});

test.run();
