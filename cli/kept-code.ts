// Loads scripts of this package with the code that V8 made of them the last time, which is several times as fast as parsing them and compiling, function
// by function, what is called.

import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import { removeOldest, writeAtomically } from '../codegen/build/files.js';
import { cacheDirectory } from '../codegen/build/places.js';
import { makeFolder } from '../runtime/io/folders.js';

/** Code of so many scripts, uses and versions is kept; of each some megabytes. */
const KEPT = 16;
/** Before the code itself, a file has the processor time of the process that wrote it, in milliseconds. */
const HEADER = 8;

const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

function placeOf(script: string, use: string): string {
  const { size, mtimeMs } = statSync(script);
  const parts = [process.version, process.arch, script, size, mtimeMs, use];
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
  try {
    makeFolder(path.dirname(file));
    writeAtomically(file, Buffer.concat([header, code]));
  } catch {
    // What was half written is removed as other old files are.
  }
}

/** Loads a script as `require` does, with kept code. What is kept is replaced where a process did much more than the one that wrote it. */
function loadWithCode(script: string, use: string): unknown {
  const place = placeOf(script, use);
  const kept = readKept(place);
  // A new file makes room for itself while the process runs, whose end waits for nothing.
  if (kept === undefined) removeOldest(path.dirname(place), KEPT - 1).catch(() => undefined);
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

/** Scripts that are loaded, as modules are, once. */
const loaded = new Map<string, unknown>();

/**
 * Loads a script in CommonJS form, which holds nothing but ASCII. Each use of it, such as a command, calls other functions, so that its code is kept
 * for itself. Node 22 and later keep the code of all modules themselves.
 */
export function loadScript(script: string, use = ''): unknown {
  if ('enableCompileCache' in nodeModule) return createRequire(script)(script);
  if (!loaded.has(script)) loaded.set(script, loadWithCode(script, use));
  return loaded.get(script);
}
