// `tdsl new`: a project with a model and a script that trains it, from the files in cli/template.

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { naming } from '../../codegen/build/files.js';
import { makeFolder } from '../../runtime/io/folders.js';
import { userError } from '../errors.js';
import { packageRoot, packageVersion } from '../package.js';

/** Where the files of the template go; npm leaves files called `.gitignore` out of packages. */
const FILES = {
  'model.td': (name: string) => `${name}.td`,
  'train.ts': () => path.join('src', 'train.ts'),
  'package.json': () => 'package.json',
  'tsconfig.json': () => 'tsconfig.json',
  'README.md': () => 'README.md',
  gitignore: () => '.gitignore',
} as const;

function create(folder: string, options: { readonly tdsl: string }): void {
  const target = path.resolve(folder);
  const packageName = path.basename(target);
  if (!/^[a-z][a-z0-9._-]*$/.test(packageName)) {
    throw userError(`'${packageName}' cannot name a package: it has lower-case letters, digits, '-', '_' and '.'`);
  }
  if (existsSync(target) && readdirSync(target).length > 0) throw userError(`${folder} exists and is not empty`);
  const name = packageName.replace(/[^a-z0-9]+/g, '_');
  // Written aside and renamed, so that an interruption leaves no half of a project.
  const aside = `${target}.${process.pid}.tmp`;
  try {
    for (const [file, place] of Object.entries(FILES)) {
      const text = readFileSync(path.join(packageRoot, 'cli', 'template', file), 'utf8')
        .replaceAll('__NAME__', name)
        .replaceAll('__PACKAGE__', packageName)
        .replaceAll('__TDSL__', options.tdsl);
      const written = path.join(aside, place(name));
      makeFolder(path.dirname(written));
      writeFileSync(written, text);
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(aside, target);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    throw naming(error, target);
  }
  process.stdout.write(`${folder}: a model in ${name}.td and a script that trains it\n\n`);
  process.stdout.write(`  cd ${folder}\n  npm install\n  npm run train\n`);
}

export function addNew(program: Command): void {
  program
    .command('new')
    .description('make a project with a model and a script that trains it')
    .argument('<folder>', 'the folder to make; its name is that of the package')
    .option('--tdsl <version>', 'which tdsl the project depends on: a version, or a file', `^${packageVersion}`)
    .action(create);
}
