// Starts the command line: loads its bundle, with the code that V8 made of it the last time, and calls it. Starting takes a good part of the time of
// most commands; reading kept code is several times as fast as parsing and compiling, function by function, what a command needs.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import vm from 'node:vm';
import { cacheDirectory } from '../codegen/build/places.js';

type CommandLine = typeof import('./main.js');

/** Code of so many commands and versions is kept; of each some megabytes. */
const KEPT = 16;
/** Before the code itself, a file has the processor time of the process that wrote it, in milliseconds. */
const HEADER = 8;

/** A command ends before most of what it calls would pay for being optimised, and compilers of C need the processors that V8 would do so on. */
function optimiseLess(): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString('--interrupt-budget=1000000');
}

const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** The file of kept code for a script and the command that is asked for: each needs other functions. */
function placeOf(script: string): string {
  const { size, mtimeMs } = statSync(script);
  const command = process.argv.slice(2).find((word) => !word.startsWith('-')) ?? '';
  const parts = [process.version, process.arch, script, size, mtimeMs, command];
  return path.join(
    cacheDirectory(),
    'code',
    createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16),
  );
}

function readKept(file: string): { readonly milliseconds: number; readonly code: Buffer } | undefined {
  try {
    const bytes = readFileSync(file);
    return { milliseconds: bytes.readDoubleLE(0), code: bytes.subarray(HEADER) };
  } catch {
    return undefined;
  }
}

/** Keeps code. It saves time and no more: where it cannot be written, the next command does without. */
function keep(file: string, code: Buffer): void {
  const header = Buffer.alloc(HEADER);
  header.writeDoubleLE(processorTime());
  const folder = path.dirname(file);
  const aside = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(aside, Buffer.concat([header, code]));
    renameSync(aside, file);
    const age = (name: string): number => statSync(path.join(folder, name)).mtimeMs;
    const oldest = readdirSync(folder)
      .map((name) => ({ name, age: age(name) }))
      .sort((a, b) => b.age - a.age)
      .slice(KEPT);
    for (const { name } of oldest) rmSync(path.join(folder, name), { force: true });
  } catch {
    // What was half written is removed as other old files are.
  }
}

/** Loads a script as `require` does, with kept code. What is kept is replaced where a process did much more than the one that wrote it. */
function loadWithCode(script: string): unknown {
  const place = placeOf(script);
  const kept = readKept(place);
  const wrapped = new vm.Script(nodeModule.wrap(readFileSync(script, 'latin1')), {
    filename: script,
    cachedData: kept?.code,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const known = kept === undefined || wrapped.cachedDataRejected === true ? 0 : kept.milliseconds;
  process.on('exit', (status) => {
    if (status === 0 && processorTime() > 2 * known) keep(place, wrapped.createCachedData());
  });
  const made = { exports: {} };
  const run = wrapped.runInThisContext() as (...names: readonly unknown[]) => void;
  run.call(made.exports, made.exports, createRequire(script), made, script, path.dirname(script));
  return made.exports;
}

optimiseLess();
const script = fileURLToPath(new URL('./main.cjs', import.meta.url));
// Node 22 and later keep code of all modules themselves.
const load = 'enableCompileCache' in nodeModule ? createRequire(import.meta.url) : loadWithCode;
await (load(script) as CommandLine).main();
