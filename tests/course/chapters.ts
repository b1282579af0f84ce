// Runs chapters of the course as `npm run course` does, and reads what they print.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';

/** What a chapter printed. */
export interface Output {
  /** The text behind `name: `, the last one where it was printed several times. */
  text(name: string): string;
  /** The numbers in it. */
  numbers(name: string): readonly number[];
  /** The first of them. */
  number(name: string): number;
}

function readOutput(chapter: string, lines: readonly string[]): Output {
  const values = new Map<string, string>();
  let last = '';
  for (const line of lines) {
    const [, name, value] = /^(\S.*?): (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, value);
    else if (line.startsWith(' ')) values.set(last, `${values.get(last) ?? ''}\n${line}`);
    last = name ?? last;
  }
  const text = (name: string): string => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`${chapter} printed no ${name}, but ${[...values.keys()].join(', ')}`);
    return value;
  };
  const numbers = (name: string): readonly number[] =>
    (text(name).match(/-?\d+(?:\.\d*)?(?:e[+-]?\d+)?/g) ?? []).map(Number);
  return { text, numbers, number: (name) => numbers(name)[0] ?? Number.NaN };
}

/** Runs chapters in one process; their outputs by folder name. */
export function runChapters(...names: readonly string[]): (name: string) => Output {
  const script = path.join(packageRoot, 'dist', 'examples', 'course.js');
  const result = spawnSync(process.execPath, ['--enable-source-maps', script, ...names], { encoding: 'utf8' });
  assert.is(result.status, 0, `${result.stdout}\n${result.stderr}`);
  const outputs = new Map<string, Output>();
  for (const part of result.stdout.split(/^── /m).slice(1)) {
    const [heading = '', ...lines] = part.split('\n');
    const chapter = heading.replace(/ ──$/, '');
    outputs.set(chapter, readOutput(chapter, lines));
  }
  return (name) => {
    const output = outputs.get(name);
    if (output === undefined) throw new Error(`the chapter ${name} printed nothing`);
    return output;
  };
}

/** What the type checker finds in the scripts of chapters, against the interfaces that the compiler wrote when they ran. */
export function typeErrors(...names: readonly string[]): readonly string[] {
  const tsc = path.join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const project = path.join(packageRoot, 'examples', 'course');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', project, '--pretty', 'false'], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => names.some((name) => line.includes(`/${name}/`)));
}

/** Whether numbers are what was expected, but for `tolerance`. */
export function close(found: readonly number[], expected: readonly number[], tolerance = 1e-4): void {
  const same = found.length === expected.length && found.every((x, i) => Math.abs(x - expected[i]!) <= tolerance);
  assert.ok(same, `found ${found.join(', ')}, expected ${expected.join(', ')} within ${tolerance}`);
}
