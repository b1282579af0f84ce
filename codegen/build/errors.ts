// The two ways in which building native code fails: the machine lacks something, or the emitted code is wrong, which is a bug of tdsl.

/** The machine cannot build native code; the message says what is missing and the hint how to get it. */
export class ToolchainError extends Error {
  override readonly name = 'ToolchainError';
  /** The exit status of the command line. */
  readonly exitCode = 3;
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** The C compiler refused emitted code. The folder with the code is kept, so that the fault can be reported. */
export class EmittedCodeError extends Error {
  override readonly name = 'EmittedCodeError';
  readonly exitCode = 70;
  readonly folder: string;
  /** What the compiler said. */
  readonly output: string;

  constructor(folder: string, output: string) {
    super(`the C compiler refused the emitted code, which is a bug of tdsl; the code is kept in ${folder}\n${output}`);
    this.folder = folder;
    this.output = output;
  }
}
