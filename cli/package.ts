// Where this package lies on disk, and its version, for the commands.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot as findPackageRoot } from '../codegen/build/places.js';

/** The folder that holds package.json, std/, codegen/rts and runtime/native. */
export const packageRoot = findPackageRoot();

export const packageVersion = (
  JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;
