// The host of the compiler on Node: files from the file system, modules of the library from the package, imports of npm packages.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host } from '../compiler/host.js';

/** `std/` lies beside `dist/` in the package. */
const libraryFolder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'std');

function readFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** A file of an npm package, found from the importing file's folder as Node finds modules. */
function packageFile(from: string, name: string): string | undefined {
  const parts = name.split('/');
  const packageName = parts.slice(0, name.startsWith('@') ? 2 : 1).join('/');
  const inside = parts.slice(name.startsWith('@') ? 2 : 1).join('/');
  const require = createRequire(path.resolve(from));
  for (const folder of require.resolve.paths(packageName) ?? []) {
    const file = path.join(folder, packageName, inside);
    if (existsSync(file)) return file;
  }
  return undefined;
}

function resolve(from: string, name: string): string | undefined {
  if (/^std\.\w+$/.test(name)) return path.join(libraryFolder, `${name.slice('std.'.length)}.td`);
  if (!name.endsWith('.td')) return undefined;
  if (name.startsWith('./') || name.startsWith('../')) return path.join(path.dirname(from), name);
  return path.isAbsolute(name) ? name : packageFile(from, name);
}

function filesBeside(file: string): readonly string[] {
  try {
    return readdirSync(path.dirname(file))
      .filter((name) => name.endsWith('.td'))
      .sort();
  } catch {
    return [];
  }
}

const standardModules = (): readonly string[] =>
  readdirSync(libraryFolder)
    .filter((file) => file.endsWith('.td'))
    .map((file) => file.slice(0, -'.td'.length))
    .sort();

/** Files, imports and the library as Node sees them. */
export const nodeHost = (): Host => ({ readFile, resolve, filesBeside, standardModules });
