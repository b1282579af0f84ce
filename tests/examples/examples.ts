// The example programs that the tests walk.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../cli/package.js';

export interface Example {
  readonly name: string;
  readonly file: string;
}

/** Programs that are small versions of examples which take the interpreter too long. */
const smaller: Readonly<Record<string, string>> = {
  'text/gpt': 'tests/examples/small/gpt.td',
  'text/char_lstm': 'tests/examples/small/char_lstm.td',
};

/** Programs that take the interpreter too long at any size; they have tests of their own. */
const long: ReadonlySet<string> = new Set(['calculus/particle', 'calculus/saddle']);

/** The programs of the folder (the course has tests of its own) that export something and that the interpreter runs in a moment. */
export const examples: readonly Example[] = readdirSync(path.join(packageRoot, 'examples'), { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.td') && !file.startsWith(`course${path.sep}`))
  .filter((file) => /^export fn/m.test(readFileSync(path.join(packageRoot, 'examples', file), 'utf8')))
  .sort()
  .map((file) => {
    const name = file.slice(0, -'.td'.length).replaceAll(path.sep, '/');
    return { name, file: path.join(packageRoot, smaller[name] ?? path.join('examples', file)) };
  })
  .filter(({ name }) => !long.has(name));
