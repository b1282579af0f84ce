// Where this package lies on disk, and its version.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(from: string): string {
  const isRoot = existsSync(path.join(from, 'package.json')) && existsSync(path.join(from, 'std'));
  const parent = path.dirname(from);
  if (isRoot) return from;
  if (parent === from) throw new Error('the tdsl package is incomplete: no folder above the program holds package.json and std');
  return findRoot(parent);
}

/** The folder that holds package.json, std/, codegen/rts and runtime/native. */
export const packageRoot = findRoot(path.dirname(fileURLToPath(import.meta.url)));

export const packageVersion = (JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
