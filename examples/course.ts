// The course: `npm run course` lists the chapters, `npm run course -- 03` or `npm run course -- linear-regression` runs one, several
// numbers or names run several, and `all` runs all.
//
// A chapter is a folder of examples/course: its programs (.td) are compiled into the chapter's folder `build`, as `npx tdsl compile` does, and
// then its script (.ts) runs, which imports them from there and writes its pictures there.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError } from '../cli/errors.js';
import { compileModule } from '../cli/module.js';
import { packageRoot } from '../cli/package.js';

interface Chapter {
  /** The folder's name, such as `03-linear-regression`. */
  readonly name: string;
  readonly number: string;
  readonly topic: string;
  readonly folder: string;
  readonly script: string;
}

const course = path.join(packageRoot, 'examples', 'course');

/** All chapters in order. */
function findChapters(): Chapter[] {
  return readdirSync(course)
    .flatMap((name) => {
      const [, number, topic] = /^(\d\d)-([a-z-]+)$/.exec(name) ?? [];
      if (number === undefined || topic === undefined) return [];
      const folder = path.join(course, name);
      const script = path.join(folder, `${topic.replaceAll('-', '_')}.ts`);
      return existsSync(script) ? [{ name, number, topic, folder, script }] : [];
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** The first sentence of a chapter's script says what it is about. */
function titleOf({ script }: Chapter): string {
  const [firstLine = ''] = readFileSync(script, 'utf8').split('\n');
  return firstLine.replace(/^\/\/ /, '');
}

/** Compiles the programs of a chapter, and runs its script. `dev` compiles faster, and the data are small. */
async function runChapter({ folder, script }: Chapter): Promise<void> {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.td'))) {
    await compileModule(path.join(folder, file), {
      outDir: path.join(folder, 'build', path.basename(file, '.td')),
      mode: 'dev',
    });
  }
  await import(pathToFileURL(script).href);
}

/** A stream that is closed early (`npm run course | head`) ends the course. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const chapters = findChapters();
const asked = process.argv.slice(2);
const chosen = asked.includes('all')
  ? chapters
  : asked.flatMap((word) => {
      const number = /^\d+$/.test(word) ? word.padStart(2, '0') : word;
      const found = chapters.find((chapter) => [chapter.name, chapter.number, chapter.topic].includes(number));
      if (found === undefined) console.error(`there is no chapter ${word}`);
      return found ?? [];
    });

if (asked.length === 0 || (chosen.length < asked.length && !asked.includes('all'))) {
  for (const chapter of chapters) console.log(`${chapter.number}  ${chapter.topic.padEnd(26)}${titleOf(chapter)}`);
  console.log(
    '\nnpm run course -- NUMBER or NAME runs a chapter, `all` runs them all; the texts are in examples/course',
  );
  process.exitCode = asked.length === 0 ? 0 : 2;
} else {
  // Chapters are TypeScript, which Node 20 does not read by itself.
  register('./typescript.js', import.meta.url);
  for (const [i, chapter] of chosen.entries()) {
    if (chosen.length > 1) console.log(`${i === 0 ? '' : '\n'}── ${chapter.name} ──`);
    try {
      await runChapter(chapter);
    } catch (error) {
      // The errors of a program were printed with their places.
      if (!(error instanceof CommandError)) throw error;
      console.error(`${chapter.name}: ${error.message}`);
      process.exit(error.status);
    }
  }
}
