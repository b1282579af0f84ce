// The package as npm packs it: what its pages link to is in it, and nothing that was built on the way.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';

const packed = (): ReadonlySet<string> => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout, stderr } = spawnSync('npm', args, { cwd: packageRoot, encoding: 'utf8' });
  assert.ok(stdout.startsWith('['), stderr);
  const [{ files }] = JSON.parse(stdout) as [{ files: readonly { path: string }[] }];
  return new Set(files.map((file) => file.path));
};

/** The files that a page links to, from the root of the package. Code and addresses are no links to files. */
function linksOf(page: string): readonly string[] {
  const text = readFileSync(path.join(packageRoot, page), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => path.posix.normalize(path.posix.join(path.posix.dirname(page), target)));
}

test('every link of a page leads to a file or a folder of the package', () => {
  const files = packed();
  const pages = [...files].filter((file) => file.endsWith('.md'));
  for (const page of ['README.md', 'docs/errors.md', 'examples/README.md']) assert.ok(pages.includes(page), page);
  const isThere = (target: string) => [...files].some((file) => file === target || file.startsWith(`${target}/`));
  const links = pages.flatMap((page) => linksOf(page).map((target) => ({ page, target })));
  const dead = links.filter(({ target }) => !isThere(target));
  assert.equal(dead, []);
  assert.not.ok([...files].some((file) => file.startsWith('examples/') && file.includes('/build/')));
});

test.run();
