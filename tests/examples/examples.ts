// The example programs that the tests walk.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../cli/package.js';

export interface Example {
  readonly name: string;
  readonly file: string;
}

const folder = path.join(packageRoot, 'examples');

export const examples: readonly Example[] = readdirSync(folder)
  .filter((file) => file.endsWith('.td'))
  .sort()
  .map((file) => ({ name: path.basename(file, '.td'), file: path.join(folder, file) }));
