// The native build: addons, libraries and sources; the cache; and what is said when the machine or the emitted code is at fault.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  buildAddon,
  diagnose,
  EmittedCodeError,
  formatFinding,
  startBuild,
  ToolchainError,
} from '../../codegen/build/index.js';
import { packageRoot } from '../../codegen/build/places.js';
import type { Addon } from '../../runtime/addon.js';
import { TdslError } from '../../runtime/errors.js';
import { defineModel } from '../../runtime/load.js';
import { manifest, sampleSource } from './sample.js';

const test = suite('build');
const root = packageRoot();
const sample = new Map([['model.c', sampleSource()]]);
const environment = { ...process.env };
/** What native code sees; tests put copies in its place. */
const nativeEnvironment = process.env;
let folder = '';

test.before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tdsl build '));
});
test.after(() => rm(folder, { recursive: true }));
test.after.each(() => {
  process.env = { ...environment };
  delete nativeEnvironment.TDSL_CPU;
  delete nativeEnvironment.TDSL_THREADS;
});

const failure = async <E extends Error>(kind: new (...args: never[]) => E, promise: Promise<unknown>): Promise<E> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.instance(error, kind, String(error));
  return error as E;
};

/** Runs a command and gives what it wrote; fails the test where it fails. */
function execute(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  assert.is(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** Compiles the C program of the tests against a built library, and runs it. */
function runAbiTest(library: string): void {
  const program = path.join(root, 'tests', 'native', 'abi_test.c');
  const include = path.join(root, 'codegen', 'rts');
  const output = path.join(path.dirname(library), 'abi_test');
  execute('cc', ['-std=gnu11', `-I${include}`, program, library, '-o', output, '-pthread'], folder);
  assert.is(execute(output, [], folder), '');
}

test('an addon is named by what went into it, and is not built twice', async () => {
  const outDir = path.join(folder, 'addon');
  const first = await buildAddon({ sources: sample, outDir, name: 'sample' });
  assert.match(path.basename(first.file), /^model\.[0-9a-f]{16}\.node$/);
  assert.is(first.cached, false);
  assert.ok(first.bytes > 0 && first.bytes < 1 << 20, String(first.bytes));
  assert.equal(await readdir(outDir), [path.basename(first.file)]);
  const second = await buildAddon({ sources: sample, outDir, name: 'sample' });
  assert.is(second.cached, true);
  assert.is(second.file, first.file);
  const dev = await buildAddon({ sources: sample, outDir, name: 'sample', mode: 'dev' });
  assert.is.not(dev.file, first.file);
  const addon = createRequire(import.meta.url)(dev.file) as Addon;
  assert.is(addon.describe().name, 'sample');
});

test('several files are one model', async () => {
  const sources = new Map([
    ['model.c', sampleSource()],
    ['kernels_0.c', '#include "kernels.h"\nint tdsl_k0(int x) { return x + 1; }\n'],
    ['kernels_1.c', '#include "kernels.h"\nint tdsl_k1(int x) { return tdsl_k0(x) + 1; }\n'],
    ['kernels.h', 'int tdsl_k0(int);\nint tdsl_k1(int);\n'],
  ]);
  const { file } = await buildAddon({ sources, outDir: path.join(folder, 'several'), name: 'sample' });
  assert.ok(existsSync(file));
});

test('only files that changed are compiled again', async () => {
  const cache = path.join(folder, 'kept');
  process.env.TDSL_CACHE_DIR = cache;
  const build = async (constant: string, comment: string): Promise<number> => {
    const sources = new Map([
      ['model.c', sampleSource()],
      [
        'kernels_0.c',
        `/* ${comment} */\n#include "kernels.h"\nconst char *tdsl_k0(void) { return "/* */ ${constant}"; }\n`,
      ],
      ['kernels_1.c', '#include "kernels.h"\nconst char *tdsl_k1(void) { return tdsl_k0(); }\n'],
      ['kernels.h', 'const char *tdsl_k0(void);\nconst char *tdsl_k1(void);\n'],
      ['other.h', `/* ${constant} */\n`],
    ]);
    await buildAddon({ sources, outDir: path.join(folder, `kept-${constant}`), name: 'sample' });
    return (await readdir(path.join(cache, 'objects'))).length;
  };
  assert.is(await build('one', 'first'), 3);
  assert.is(await build('two', 'first'), 4);
  assert.is(await build('two', 'second'), 4);
});

test('a file is compiled while others are still to come, and a build that is given up leaves nothing', async () => {
  const cache = path.join(folder, 'early');
  process.env.TDSL_CACHE_DIR = cache;
  const building = await startBuild({ outDir: path.join(folder, 'early-out'), name: 'early' });
  building.add('kernels.h', 'int tdsl_k0(int);\n');
  building.add('kernels_0.c', '#include "kernels.h"\nint tdsl_k0(int x) { return x + 1; }\n');
  const entries = await readdir(cache);
  const work = path.join(cache, entries.find((name) => name.startsWith('early-')) as string);
  const isCompiled = async (): Promise<boolean> => (await readdir(work)).some((file) => file.endsWith('.o'));
  for (let i = 0; i < 1200 && !(await isCompiled()); i++) await sleep(50);
  assert.ok(await isCompiled());
  await building.abandon();
  assert.equal(
    (await readdir(cache)).sort(),
    entries.sort().filter((name) => !name.startsWith('early-')),
  );
});

test('a linker that was found and is gone does not matter', async () => {
  const cache = path.join(folder, 'linker');
  process.env.TDSL_CACHE_DIR = cache;
  const build = (name: string) => buildAddon({ sources: sample, outDir: path.join(folder, name), name: 'sample' });
  await build('linker-found');
  const runtime = (await readdir(cache)).find((entry) => entry.startsWith('runtime-')) as string;
  await writeFile(path.join(cache, runtime, 'linker'), '-fuse-ld=no-such-linker');
  const { file } = await build('linker-gone');
  assert.is((createRequire(import.meta.url)(file) as Addon).describe().name, 'sample');
});

test('a library serves C programs', async () => {
  const outDir = path.join(folder, 'lib');
  const { file } = await buildAddon({ sources: sample, outDir, name: 'sample', emit: 'lib' });
  assert.equal((await readdir(outDir)).sort(), ['libsample.so', 'tdsl_model.h']);
  runAbiTest(file);
});

test('emitted sources build by themselves', async () => {
  const outDir = path.join(folder, 'source');
  const { file, bytes } = await buildAddon({ sources: sample, outDir, name: 'sample', emit: 'source' });
  assert.is(file, outDir);
  assert.ok(bytes > 0);
  execute('sh', ['build.sh'], outDir);
  runAbiTest(path.join(outDir, 'libsample.so'));
});

test('code that the compiler refuses is a bug of ours, and is kept', async () => {
  const sources = new Map([['model.c', sampleSource().replace('return TDSL_OK;', 'return TDSL_FINE;')]]);
  const error = await failure(EmittedCodeError, buildAddon({ sources, outDir: folder, name: 'broken' }));
  assert.is(error.exitCode, 70);
  assert.match(error.message, /bug of tdsl; the code is kept in/);
  assert.match(error.output, /TDSL_FINE/);
  assert.match(await readFile(path.join(error.folder, 'model.c'), 'utf8'), /TDSL_FINE/);
  await rm(error.folder, { recursive: true });
});

test('a missing compiler is named', async () => {
  process.env.CC = 'no-such-compiler';
  const error = await failure(ToolchainError, buildAddon({ sources: sample, outDir: folder, name: 'sample' }));
  assert.is(error.exitCode, 3);
  assert.is(error.message, 'cannot build native code: C compiler not found');
  assert.match(error.hint, /'tdsl check'/);
});

test('a missing cmake is named', async () => {
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  for (const name of ['cc', 'c++', 'gcc', 'g++', 'make', 'sh']) {
    await symlink(execute('sh', ['-c', `command -v ${name}`], folder).trim(), path.join(bin, name));
  }
  process.env.PATH = bin;
  process.env.TDSL_CACHE_DIR = path.join(folder, 'empty');
  const error = await failure(
    ToolchainError,
    buildAddon({ sources: sample, outDir: path.join(folder, 'none'), name: 'sample' }),
  );
  assert.is(error.message, 'cannot build native code: cmake not found');
});

test('an old cmake is told', async () => {
  const bin = path.join(folder, 'old');
  await mkdir(bin);
  await writeFile(path.join(bin, 'cmake'), '#!/bin/sh\necho cmake version 3.10.2\nexit 0\n');
  await chmod(path.join(bin, 'cmake'), 0o755);
  process.env.PATH = `${bin}:${environment.PATH}`;
  const cmake = (await diagnose()).find(({ name }) => name === 'cmake')!;
  assert.is(cmake.ok, false);
  assert.match(formatFinding(cmake), /^missing cmake: cmake 3\.10\.2; cmake 3\.15 or newer is needed: /);
});

test('a cache that cannot be written is told', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  process.env.TDSL_CACHE_DIR = path.join(file, 'cache');
  const error = await failure(ToolchainError, buildAddon({ sources: sample, outDir: folder, name: 'sample' }));
  assert.match(error.message, /cannot be written/);
  assert.match(error.hint, /TDSL_CACHE_DIR/);
});

test('the doctor finds what is here', async () => {
  const findings = await diagnose();
  assert.equal(
    findings.map(({ name }) => name),
    ['node', 'cmake', 'C compiler', 'C++ compiler', 'make or ninja', 'cache', 'cpu'],
  );
  for (const finding of findings) {
    assert.ok(finding.ok, formatFinding(finding));
    assert.match(formatFinding(finding), /^ok {5} \S/);
  }
});

test('names that are no file names are refused', async () => {
  await failure(Error, buildAddon({ sources: sample, outDir: folder, name: '../evil' }));
  await failure(Error, buildAddon({ sources: sample, outDir: folder, name: 'sample', cpus: ['native; rm'] }));
});

test('a model for another CPU loads, and says why it cannot run', async () => {
  const sources = new Map([['model.c', `#define SAMPLE_FEATURES "sse3 avx9000 avx2 amx "\n${sampleSource()}`]]);
  const { file } = await buildAddon({ sources, outDir: path.join(folder, 'cpu'), name: 'sample' });
  const model = defineModel({ manifest, addonUrl: pathToFileURL(file) });
  const reason = /sample was compiled for a CPU with features that this machine lacks: avx9000 amx;/;
  assert.match(model.probe() ?? '', reason);
  const error = await failure(TdslError, model.create());
  assert.is(error.code, 'TDSL_UNSUPPORTED');
  assert.match(error.message, reason);
});

/** The sample as if its kernels were compiled for CPUs with these features. */
function sampleFor(features: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const texts = Object.values(features).map((text) => JSON.stringify(text));
  const rows = Object.keys(features).map((cpu, i) => `{${JSON.stringify(cpu)}, &needed[${i}]}`);
  const tables = `static const char *const needed[] = {${texts.join(', ')}};
static const tdsl_version versions[] = {${rows.join(', ')}};
const tdsl_model_def tdsl_model_definition = {.versions = versions, .n_versions = ${rows.length},`;
  return new Map([['model.c', sampleSource().replace('const tdsl_model_def tdsl_model_definition = {', tables)]]);
}

test('a number of threads that cannot be is refused', async () => {
  const { file } = await buildAddon({ sources: sample, outDir: path.join(folder, 'threads'), name: 'sample' });
  const create = (): Promise<unknown> => defineModel({ manifest, addonUrl: pathToFileURL(file) }).create({ seed: 1 });
  for (const wrong of ['abc', '-3', '100000', '2 ']) {
    nativeEnvironment.TDSL_THREADS = wrong;
    assert.match(
      (await failure(Error, create())).message,
      new RegExp(`TDSL_THREADS is '${wrong}'; it takes a number of threads from 1 to 256, or 0 for one on each core`),
    );
  }
  for (const right of ['', '0', '3']) {
    nativeEnvironment.TDSL_THREADS = right;
    await create();
  }
});

test('of kernels for several CPUs, none that cannot run here is chosen', async () => {
  const outDir = path.join(folder, 'cpus');
  const load = async (features: Readonly<Record<string, string>>): Promise<unknown> => {
    const { file } = await buildAddon({ sources: sampleFor(features), outDir, name: 'sample' });
    return defineModel({ manifest, addonUrl: pathToFileURL(file) }).create({ seed: 1 });
  };
  const mixed = { plain: '', future: 'avx9000 amx ' };
  await load(mixed);
  const none = await failure(Error, load({ far: 'avx9000 amx ', near: 'avx9000 ' }));
  assert.match(
    none.message,
    /sample was compiled for far, near, and this machine lacks features that near needs: avx9000; compile it here,/,
  );
  nativeEnvironment.TDSL_CPU = 'plain';
  await load(mixed);
  nativeEnvironment.TDSL_CPU = 'future';
  assert.match(
    (await failure(Error, load(mixed))).message,
    /TDSL_CPU asks for the kernels of sample for future, which need features that this machine lacks: avx9000 amx$/,
  );
  nativeEnvironment.TDSL_CPU = 'past';
  assert.match(
    (await failure(Error, load(mixed))).message,
    /TDSL_CPU asks for kernels for past, but those of sample are for plain, future$/,
  );
});

const firstBuild = `
import { readFileSync } from 'node:fs';
const { buildAddon } = await import(process.argv[1]);
const sources = new Map([['model.c', readFileSync(process.argv[2], 'utf8')]]);
await buildAddon({ sources, outDir: process.argv[3], name: 'sample' });
`;

test('two first builds at once both succeed, and download nothing', async () => {
  const home = path.join(folder, 'home');
  await mkdir(home);
  const { XDG_CACHE_HOME: _, TDSL_CACHE_DIR: __, ...rest } = environment;
  const module = new URL('../../codegen/build/index.js', import.meta.url).href;
  const script = `${['one', 'two']
    .map(
      (name) =>
        `"$NODE" --input-type=module -e "$CODE" "${module}" "${root}/tests/native/sample_model.c" "${home}/${name}" & a${name}=$!`,
    )
    .join('\n')}\nwait $aone && wait $atwo`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], {
    env: { ...rest, HOME: home, NODE: process.execPath, CODE: firstBuild },
    encoding: 'utf8',
  });
  assert.is(status, 0, stdout + stderr);
  assert.equal(
    (await readdir(path.join(home, '.cache', 'tdsl'))).map((name) => name.replace(/-.*/, '')),
    ['objects', 'runtime'],
  );
  assert.not.ok(existsSync(path.join(home, '.cmake-js')));
});

test.run();
