// How a command ends: the exit status says whose fault it was.

import type { DiagnosticJson, RenderOptions } from '../compiler/diagnostics/report.js';

/** 0 done; 1 the user's program or input is wrong; 2 the command line is wrong; 3 the toolchain or machine lacks something; 70 a bug of ours. */
export const exitStatus = { done: 0, user: 1, usage: 2, machine: 3, bug: 70 } as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

/** Ends a command with a message for the user and a status. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  constructor(
    readonly status: ExitStatus,
    message: string,
  ) {
    super(message);
  }
}

/** A program has errors. The message is the report of them all, for scripts; the command line prints it in colour. */
export class ProgramError extends CommandError {
  override readonly name = 'ProgramError';
  readonly #render: (options: RenderOptions) => string;

  constructor(
    status: ExitStatus,
    /** What was found, with places as lines and columns. */
    readonly diagnostics: readonly DiagnosticJson[],
    render: (options: RenderOptions) => string,
  ) {
    super(status, render({ color: false }));
    this.#render = render;
  }

  /** The text of the report. */
  render(options: RenderOptions): string {
    return this.#render(options);
  }

  /** How many errors there are. */
  get summary(): string {
    const errors = this.diagnostics.filter(({ severity }) => severity === 'error').length;
    return `${errors} error${errors === 1 ? '' : 's'}`;
  }
}

/** The user's program or input is wrong. */
export const userError = (message: string): CommandError => new CommandError(exitStatus.user, message);

/** What an error of the operating system says, in words that name the file. */
const systemReasons: Readonly<Record<string, readonly [status: ExitStatus, reason: string]>> = {
  EACCES: [exitStatus.user, 'permission denied'],
  EPERM: [exitStatus.user, 'permission denied'],
  EISDIR: [exitStatus.user, 'it is a folder'],
  ENOTDIR: [exitStatus.user, 'a part of the path is no folder'],
  EEXIST: [exitStatus.user, 'a file of that name is in the way'],
  ENOENT: [exitStatus.user, 'there is no such file or folder'],
  ENAMETOOLONG: [exitStatus.user, 'the name is too long'],
  EROFS: [exitStatus.user, 'the file system is read-only'],
  ENOSPC: [exitStatus.machine, 'the disk is full'],
  EMFILE: [exitStatus.machine, 'too many files are open'],
  ENOMEM: [exitStatus.machine, 'there is not enough memory'],
};

/** A failed operation on a file as a command's end; undefined for other errors. */
export function fileError(error: unknown): CommandError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', syscall, path: file, dest = file } = error as NodeJS.ErrnoException & { readonly dest?: string };
  const found = systemReasons[code];
  if (found === undefined) return undefined;
  // The folder that it would lie in is there: some file systems, such as /proc, have no place for others.
  const reason = syscall === 'mkdir' && code === 'ENOENT' ? 'no folder can be made there' : found[1];
  return new CommandError(found[0], `cannot use ${dest ?? 'a file'}: ${reason}`);
}

/** The command line is wrong. */
export const usageError = (message: string): CommandError => new CommandError(exitStatus.usage, message);

/** Whether text on a stream is coloured. */
export const useColor = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY === true && process.env.NO_COLOR === undefined;
