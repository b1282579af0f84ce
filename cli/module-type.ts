// Whether Node takes index.js in a folder for the ES module that it is. The nearest package.json decides, and that of a project may say `commonjs`
// or nothing: then the folder gets one of its own.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { writeAtomically } from '../codegen/build/files.js';

const NAME = 'package.json';

/** The `type` that the nearest package.json says for a folder. */
function typeOf(folder: string): unknown {
  const file = path.join(folder, NAME);
  if (existsSync(file)) {
    try {
      return (JSON.parse(readFileSync(file, 'utf8')) as { readonly type?: unknown } | null)?.type;
    } catch {
      return undefined;
    }
  }
  const above = path.dirname(folder);
  return above === folder ? undefined : typeOf(above);
}

/** Whether a folder lacks a package.json. One that is there is the user's, or ours, and is left as it is. */
export const lacksModuleType = (folder: string): boolean =>
  !existsSync(path.join(folder, NAME)) && typeOf(folder) !== 'module';

/** Writes package.json where modules of a folder would not load without. */
export function writeModuleType(folder: string): void {
  if (lacksModuleType(folder)) writeAtomically(path.join(folder, NAME), '{"type":"module"}\n');
}
