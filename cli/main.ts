// The command line `tdsl`: one file a command, in commands/.

import { Command, CommanderError } from 'commander';
import { EmittedCodeError, ToolchainError } from '../codegen/build/errors.js';
import { addCheck } from './commands/check.js';
import { addCompile } from './commands/compile.js';
import { addDoctor } from './commands/doctor.js';
import { addFmt } from './commands/fmt.js';
import { addIr } from './commands/ir.js';
import { addRun } from './commands/run.js';
import { CommandError, exitStatus } from './errors.js';
import { packageVersion } from './package.js';

const program = new Command('tdsl')
  .description('compile typed tensor programs to native code, check them, run them, and see every step')
  .version(packageVersion)
  .exitOverride()
  .showHelpAfterError('(run with --help for the usage)');

for (const add of [addCompile, addCheck, addRun, addIr, addFmt, addDoctor]) add(program);
for (const command of program.commands) command.exitOverride();

/** A stream that is closed early (`tdsl ir … | head`) is no error of ours. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitStatus.done);
  throw error;
});

/** The status and the message of a failed command. */
function explain(error: unknown): { readonly status: number; readonly message?: string } {
  if (error instanceof CommanderError) return { status: error.exitCode === 0 ? exitStatus.done : exitStatus.usage };
  if (error instanceof CommandError) return { status: error.status, message: error.message };
  if (error instanceof ToolchainError) return { status: error.exitCode, message: `${error.message}\n  ${error.hint}` };
  if (error instanceof EmittedCodeError) return { status: error.exitCode, message: error.message };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { status: exitStatus.bug, message: `internal error, a bug of tdsl: ${text}` };
}

try {
  await program.parseAsync();
} catch (error) {
  const { status, message } = explain(error);
  if (message !== undefined) process.stderr.write(`tdsl: ${message}\n`);
  process.exitCode = status;
}
