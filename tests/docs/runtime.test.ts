// The examples of docs/runtime.md: those of a section are one script, which fits the types of the package and prints what its comments say.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';

const text = readFileSync(path.join(packageRoot, 'docs', 'runtime.md'), 'utf8');

interface Script {
  readonly title: string;
  readonly code: string;
  /** What it prints, in order. */
  readonly expected: readonly string[];
}

const scripts = text.split(/^## /m).flatMap((section): Script[] => {
  const code = [...section.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block).join('\n');
  const expected = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line.replaceAll('\\n', '\n'));
  return code === '' ? [] : [{ title: section.split('\n')[0] ?? '', code, expected }];
});

/** Output with the line breaks of nested lists, which depend on their width, as spaces. */
const flat = (output: string): string => output.replace(/\s+/g, ' ').trim();

const test = suite<{ folder: string }>('docs/runtime.md', { folder: '' });

test.before((context) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-docs-'));
  context.folder = folder;
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(packageRoot, path.join(folder, 'node_modules', 'tdsl'));
  symlinkSync(path.join(packageRoot, 'node_modules', '@types'), path.join(folder, 'node_modules', '@types'));
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2023'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  for (const [i, { code }] of scripts.entries()) writeFileSync(path.join(folder, `script${i}.ts`), code);
});

test.after(({ folder }) => rmSync(folder, { recursive: true }));

test('the examples fit the types of the package', ({ folder }) => {
  const tsc = path.join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  assert.is(status, 0, stdout);
});

for (const [i, { title, expected }] of scripts.entries()) {
  test(`the examples of "${title}" print what they say`, ({ folder }) => {
    const env = { ...process.env, NO_COLOR: '1', TDSL_CACHE_DIR: path.join(folder, 'cache') };
    const { stdout, stderr } = spawnSync(process.execPath, [`script${i}.js`], { cwd: folder, encoding: 'utf8', env });
    assert.is(stderr, '');
    assert.is(flat(stdout), flat(expected.join('\n')));
  });
}

test.run();
