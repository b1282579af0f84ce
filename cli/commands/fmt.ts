// `tdsl fmt`: formats programs in place; `--check` only tells which are not formatted.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { formatFile } from '../../compiler/syntax/format.js';
import { CommandError, exitStatus } from '../errors.js';
import { failOnErrors, requireFile } from '../frontend.js';

/** Replaces a file in one step, so that an interruption leaves the old or the new text. */
function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

function fmt(files: readonly string[], options: { readonly check?: boolean }): void {
  let unformatted = 0;
  for (const file of files) {
    requireFile(file);
    const text = readFileSync(file, 'utf8');
    const result = formatFile({ path: file, text });
    failOnErrors(result.diagnostics);
    if (result.text === undefined || result.text === text) continue;
    unformatted++;
    if (options.check === true) process.stdout.write(`${file}: not formatted\n`);
    else {
      replaceFile(file, result.text);
      process.stdout.write(`${file}: formatted\n`);
    }
  }
  if (options.check === true && unformatted > 0) {
    throw new CommandError(exitStatus.user, `${unformatted} of ${files.length} files are not formatted`);
  }
}

export function addFmt(program: Command): void {
  program
    .command('fmt')
    .description('format programs')
    .argument('<files...>', 'programs (.td)')
    .option('--check', 'change nothing; fail when a file is not formatted')
    .action(fmt);
}
