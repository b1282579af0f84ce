// The command line `tdsl`: one file a command, in commands/. Only the command that runs is loaded, since the parser alone takes longer to
// load than most commands take to run.

import { Command, CommanderError } from 'commander';
import { EmittedCodeError, ToolchainError } from '../codegen/build/errors.js';
import { CommandError, exitStatus, fileError, ProgramError, useColor } from './errors.js';
import { packageVersion } from './package.js';

/** A command: the line that the list of commands shows, and the function that adds it with its options and action. */
interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<(program: Command) => void>;
}

const commands: Readonly<Record<string, CommandEntry>> = {
  compile: {
    summary: 'compile a program to a native module',
    load: async () => (await import('./commands/compile.js')).addCompile,
  },
  check: {
    summary: 'check types and shapes; needs no toolchain',
    load: async () => (await import('./commands/check.js')).addCheck,
  },
  run: {
    summary: 'evaluate one function on arguments from JSON',
    load: async () => (await import('./commands/run.js')).addRun,
  },
  ir: { summary: 'print the intermediate representation', load: async () => (await import('./commands/ir.js')).addIr },
  size: {
    summary: 'print the peak memory of each entry point',
    load: async () => (await import('./commands/size.js')).addSize,
  },
  explain: {
    summary: 'walk the derivative of a function, line by line',
    load: async () => (await import('./commands/explain.js')).addExplain,
  },
  fmt: { summary: 'format programs', load: async () => (await import('./commands/fmt.js')).addFmt },
  new: {
    summary: 'make a project with a model and a script that trains it',
    load: async () => (await import('./commands/new.js')).addNew,
  },
  doctor: {
    summary: 'tell what this machine lacks for compiling, and how to get it',
    load: async () => (await import('./commands/doctor.js')).addDoctor,
  },
};

/** How a command ended: its status, a report of the program that it was given, and a message. */
interface End {
  readonly status: number;
  readonly report?: string;
  readonly message?: string;
}

function explain(error: unknown): End {
  if (error instanceof CommanderError) return { status: error.exitCode === 0 ? exitStatus.done : exitStatus.usage };
  if (error instanceof ProgramError) {
    const report = error.render({ color: useColor(process.stderr) });
    return { status: error.status, report: `${report}\n\n`, message: error.summary };
  }
  if (error instanceof CommandError) return { status: error.status, message: error.message };
  if (error instanceof ToolchainError) return { status: error.exitCode, message: `${error.message}\n  ${error.hint}` };
  if (error instanceof EmittedCodeError) return { status: error.exitCode, message: error.message };
  const failed = fileError(error);
  if (failed !== undefined) return { status: failed.status, message: failed.message };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { status: exitStatus.bug, message: `internal error, a bug of tdsl: ${text}` };
}

/** Runs the command that the arguments of this process name. */
export async function main(): Promise<void> {
  const program = new Command('tdsl')
    .description('compile typed tensor programs to native code, check them, run them, and see every step')
    .version(packageVersion)
    .exitOverride()
    .showHelpAfterError('(run with --help for the usage)');

  /** The command that is asked for: the first word that is no option, or the word after `help`. */
  const [first, second] = process.argv.slice(2).filter((word) => !word.startsWith('-'));
  const asked = first === 'help' ? second : first;

  for (const [name, { summary, load }] of Object.entries(commands)) {
    if (name === asked) (await load())(program);
    else program.command(name).description(summary);
  }
  for (const command of program.commands) command.exitOverride();

  /** A stream that is closed early (`tdsl ir … | head`) is no error of ours. */
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitStatus.done);
    throw error;
  });

  try {
    await program.parseAsync();
  } catch (error) {
    const { status, report = '', message } = explain(error);
    process.stderr.write(report);
    if (message !== undefined) process.stderr.write(`tdsl: ${message}\n`);
    process.exitCode = status;
  }
}
