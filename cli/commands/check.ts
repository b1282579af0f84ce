// `tdsl check`: types and shapes of programs, without a toolchain; `--passes` also replays every pass on random inputs.

import type { Command } from 'commander';
import { reasonText, relationText } from '../../compiler/constraints.js';
import { toJson } from '../../compiler/diagnostics/report.js';
import { checkFile } from '../../compiler/index.js';
import { replayPasses } from '../../compiler/pipeline.js';
import type { Entry } from '../../compiler/program.js';
import { CommandError, exitStatus, userError } from '../errors.js';
import { failOnErrors, loadProgram, requireFile } from '../frontend.js';
import { nodeHost } from '../host.js';

interface Options {
  readonly json?: boolean;
  readonly passes?: boolean;
  readonly seed: string;
}

function check(files: readonly string[], options: Options): void {
  const host = nodeHost();
  for (const file of files) requireFile(file);
  const checked = files.map((file) => ({ file, ...checkFile(file, host) }));
  const diagnostics = checked.flatMap((each) => each.diagnostics);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(diagnostics.map(toJson), null, 2)}\n`);
    if (diagnostics.some(({ severity }) => severity === 'error')) process.exitCode = exitStatus.user;
    return;
  }
  failOnErrors(diagnostics);
  for (const { file, program } of checked) {
    process.stdout.write(`${file}: ok\n`);
    noteDeferred(program?.entries ?? []);
    if (options.passes === true) replay(file, Number(options.seed));
  }
}

/** Tells what no compile decides about run-time sizes. A form for evaluation needs what its function needs. */
function noteDeferred(entries: readonly Entry[]): void {
  const forms = new Set(entries.map(({ evaluation }) => evaluation));
  for (const { name, equalities = [], constraints } of entries) {
    if (forms.has(name)) continue;
    for (const constraint of [...equalities, ...constraints]) {
      const needed = `${name} needs ${relationText(constraint)}, which its calls check`;
      process.stdout.write(`  note: ${needed}: ${reasonText(constraint)}\n`);
    }
  }
}

function replay(file: string, seed: number): void {
  if (!Number.isSafeInteger(seed)) throw userError('--seed takes an integer');
  const steps = replayPasses(loadProgram(file), seed);
  for (const step of steps) {
    process.stdout.write(
      `  ${step.pass}: ${step.entries} entries agree, largest difference ${step.largestDifference.toExponential(1)}\n`,
    );
    if (step.failure !== undefined)
      throw new CommandError(exitStatus.bug, `the pass ${step.pass} changes a value: ${step.failure}`);
  }
}

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check types and shapes; needs no toolchain')
    .argument('<files...>', 'programs (.td)')
    .option('--json', 'print the diagnostics as JSON')
    .option('--passes', 'also run every compiler pass on random inputs and compare the values before and after')
    .option('--seed <n>', 'of the random inputs', '0')
    .action(check);
}
