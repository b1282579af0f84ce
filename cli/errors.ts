// How a command ends: the exit status says whose fault it was.

/** 0 done; 1 the user's program or input is wrong; 2 the command line is wrong; 3 the toolchain or machine lacks something; 70 a bug of ours. */
export const exitStatus = { done: 0, user: 1, usage: 2, machine: 3, bug: 70 } as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

/** Ends a command with a message for the user and a status. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    readonly status: ExitStatus,
    message: string,
  ) {
    super(message);
  }
}

/** The user's program or input is wrong. */
export const userError = (message: string): CommandError => new CommandError(exitStatus.user, message);

/** The command line is wrong. */
export const usageError = (message: string): CommandError => new CommandError(exitStatus.usage, message);
