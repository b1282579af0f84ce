// The command line `tdsl`: one file a command, in commands/.

import { Command, CommanderError } from 'commander';
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

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
  else if (error instanceof CommandError) {
    process.stderr.write(`tdsl: ${error.message}\n`);
    process.exitCode = error.status;
  } else if (error instanceof Error && 'exitStatus' in error && typeof error.exitStatus === 'number') {
    process.stderr.write(`tdsl: ${error.message}\n`);
    process.exitCode = error.exitStatus;
  } else {
    process.stderr.write(`tdsl: internal error, a bug of tdsl: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = exitStatus.bug;
  }
}
