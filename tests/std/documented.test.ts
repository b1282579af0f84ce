// The library itself: every module parses, and everything that users can name is documented.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDiagnostic } from '../../compiler/diagnostics/report.js';
import type * as ast from '../../compiler/syntax/ast.js';
import { parseFile } from '../../compiler/syntax/parser.js';

const library = suite('std');
const directory = path.resolve('std');
const modules = readdirSync(directory).filter((file) => file.endsWith('.td'));

const parsed = modules.map((file) => {
  const source = { path: `std/${file}`, text: readFileSync(path.join(directory, file), 'utf8') };
  const { file: tree, diagnostics } = parseFile(source);
  return { source, tree, diagnostics };
});

type Named = ast.Fn | ast.Model | ast.Constant;
const named = (file: ast.File): readonly Named[] =>
  file.items.filter((item): item is Named => item.kind === 'Fn' || item.kind === 'Model' || item.kind === 'Constant');

const isPublic = (item: Named): boolean => !item.name.name.startsWith('_');

for (const { source, diagnostics } of parsed) {
  library(`${source.path} parses`, () => {
    assert.equal(
      diagnostics.map((diagnostic) => renderDiagnostic(diagnostic)),
      [],
    );
    assert.match(source.text, /^tdsl 1\n#/, 'a module begins with its version and says what it is');
  });
}

library('every public function, model and constant is documented', () => {
  const bare = parsed.flatMap(({ source, tree }) =>
    named(tree)
      .filter((item) => isPublic(item) && (item.docs ?? '').trim() === '')
      .map((item) => `${source.path}: ${item.name.name}`),
  );
  assert.equal(bare, []);
});

library('no name is declared in two modules', () => {
  const homes = new Map<string, string[]>();
  for (const { source, tree } of parsed) {
    for (const item of named(tree).filter(isPublic)) {
      homes.set(item.name.name, [...(homes.get(item.name.name) ?? []), source.path]);
    }
  }
  assert.equal(
    [...homes].filter(([, files]) => files.length > 1),
    [],
  );
});

library.run();
