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
export const long: ReadonlySet<string> = new Set(['calculus/particle', 'calculus/saddle']);

/** Every program of the folder that exports something, as it is. */
export const programs: readonly Example[] = readdirSync(path.join(packageRoot, 'examples'), { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.td'))
  .filter((file) => /^export fn/m.test(readFileSync(path.join(packageRoot, 'examples', file), 'utf8')))
  .sort()
  .map((file) => ({
    name: file.slice(0, -'.td'.length).replaceAll(path.sep, '/'),
    file: path.join(packageRoot, 'examples', file),
  }));

/** The same with small versions of those that take the interpreter too long, where there are such versions. */
export const smallPrograms: readonly Example[] = programs.map(({ name, file }) => {
  const small = smaller[name];
  return { name, file: small === undefined ? file : path.join(packageRoot, small) };
});

/** Those that the interpreter runs in a moment. The course has tests of its own. */
export const examples: readonly Example[] = smallPrograms.filter(
  ({ name }) => !name.startsWith('course/') && !long.has(name),
);

/** Those of a list that have one of the names, or all of them where no name is given. */
export function chosen(from: readonly Example[], names: readonly string[]): readonly Example[] {
  const unknown = names.filter((name) => !from.some((example) => example.name === name));
  if (unknown.length > 0) {
    const known = from.map(({ name }) => name).join(', ');
    throw new Error(`there is no example ${unknown.map((name) => `'${name}'`).join(', ')}; there are ${known}`);
  }
  return names.length === 0 ? from : from.filter(({ name }) => names.includes(name));
}
