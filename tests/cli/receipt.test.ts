// Compiling what did not change does nothing, and whatever a result depends on makes it be compiled again.

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProgramError } from '../../cli/errors.js';
import { compileModule, type ModuleOptions } from '../../cli/module.js';
import { findReceipt } from '../../cli/receipt.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-receipt-'));
const at = (...parts: readonly string[]): string => path.join(folder, ...parts);
const outDir = at('out');
const file = at('project', 'model.td');
const options: ModuleOptions = { outDir, mode: 'dev' };
const isKnown = async (more: ModuleOptions = {}): Promise<boolean> =>
  (await findReceipt({ file, options: { ...options, ...more } })) !== undefined;

function write(name: string, text: string): void {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}

/** Makes a change, checks that the compile is not left out then, and undoes it. */
async function noticed(change: () => void, undo: () => void): Promise<void> {
  change();
  assert.not.ok(await isKnown());
  undo();
  assert.ok(await isKnown());
}

/** The same for the content of a file. */
const noticedText = (name: string, text: string | undefined): Promise<void> => {
  const before = readFileSync(at(name));
  return noticed(
    () => (text === undefined ? rmSync(at(name)) : writeFileSync(at(name), text)),
    () => writeFileSync(at(name), before),
  );
};

test.before(async () => {
  write(
    'project/model.td',
    'import "./part.td" { twice }\nimport "shared/more.td" { more }\nexport fn f(x: f32[n]) -> f32[n] = twice(more(x))\n',
  );
  write('project/part.td', 'fn twice(x: f32[n]) -> f32[n] = 2 * x\n');
  write('node_modules/shared/more.td', 'fn more(x: f32[n]) -> f32[n] = x + 1\n');
  const first = await compileModule(file, options);
  assert.not.ok(first.artefact.cached);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test('a compile that would change nothing is left out, and says the same', async () => {
  const again = await compileModule(file, options);
  assert.ok(again.artefact.cached);
  assert.equal(again.entries, ['f']);
  assert.equal(again.outDir, outDir);
  assert.ok(again.artefact.bytes > 0);
});

test('changes of the program and of what it imports are noticed', async () => {
  await noticedText('project/model.td', 'export fn f(x: f32[n]) -> f32[n] = 3 * x\n');
  await noticedText('project/part.td', 'fn twice(x: f32[n]) -> f32[n] = x + x\n');
  await noticedText('node_modules/shared/more.td', undefined);
});

test('a file that an import would find first is noticed', async () => {
  const nearer = 'project/node_modules/shared/more.td';
  await noticed(
    () => write(nearer, 'fn more(x: f32[n]) -> f32[n] = x + 2\n'),
    () => rmSync(at('project', 'node_modules'), { recursive: true }),
  );
});

test('outputs that were removed or edited are noticed', async () => {
  const { artefact } = await compileModule(file, options);
  await noticedText(path.join('out', 'index.js'), '// nothing\n');
  await noticedText(path.join('out', 'manifest.json'), undefined);
  await noticedText(path.join('out', 'stages.json'), undefined);
  await noticedText(path.join('out', path.basename(artefact.file)), undefined);
});

test('a module loads in a project of CommonJS, whose package.json is left alone', async () => {
  const load = (place: string): string => {
    const script = `import('./${place}/index.js').then(({ manifest }) => console.log(manifest.name))`;
    return spawnSync(process.execPath, ['-e', script], { cwd: at('commonjs'), encoding: 'utf8' }).stdout;
  };
  write('commonjs/package.json', '{ "type": "commonjs" }');
  const compile = (place: string) => compileModule(file, { ...options, outDir: at('commonjs', place) });
  await compile('out');
  assert.is(load('out'), 'model\n');
  rmSync(at('commonjs', 'out', 'package.json'));
  await compile('out');
  assert.is(load('out'), 'model\n');
  assert.ok((await compile('out')).artefact.cached);
  await compile('.');
  assert.is(readFileSync(at('commonjs', 'package.json'), 'utf8'), '{ "type": "commonjs" }');
  write('modules/package.json', '{ "type": "module" }');
  await compileModule(file, { ...options, outDir: at('modules', 'out') });
  assert.not.ok(existsSync(at('modules', 'out', 'package.json')));
});

test('other options are another compile', async () => {
  assert.not.ok(await isKnown({ mode: 'release' }));
  assert.not.ok(await isKnown({ dims: { n: 4 } }));
  assert.not.ok(await isKnown({ defaultFloat: 'f64' }));
  assert.not.ok(await isKnown({ cpu: 'generic' }));
  assert.not.ok(await isKnown({ outDir: at('elsewhere') }));
});

test('another compiler, and other settings of it, are noticed', async () => {
  const { CC, CPATH } = process.env;
  const restore = (name: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  write('other-cc', '#!/bin/sh\necho other compiler 1.0\n');
  chmodSync(at('other-cc'), 0o755);
  await noticed(
    () => restore('CC', at('other-cc')),
    () => restore('CC', CC),
  );
  await noticed(
    () => restore('CPATH', at('include')),
    () => restore('CPATH', CPATH),
  );
  await noticed(
    () => restore('CC', at('no-compiler')),
    () => restore('CC', CC),
  );
});

test('a program with errors leaves none, and the error holds the report', async () => {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, 'export fn f(x: f32[2]) -> f32[3] = x\n');
  const error: unknown = await compileModule(file, options).catch((thrown: unknown) => thrown);
  assert.instance(error, ProgramError);
  const { message, status, diagnostics } = error as ProgramError;
  assert.is(status, 1);
  assert.match(message, /^error\[E\d{4}\][\s\S]*model\.td:1:\d+/);
  assert.equal(
    diagnostics.map(({ start }) => start.line),
    [1],
  );
  assert.not.ok(await isKnown());
  writeFileSync(file, text);
  assert.ok(await isKnown());
});

test.run();
