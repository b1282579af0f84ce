// The errors of calls and sessions. Native code throws errors with the same codes, so that a program can tell them apart without the text.

/** Why a call or a session refused. */
export type ErrorCode =
  /** An argument of the wrong kind, dtype or place. */
  | 'TDSL_ARG'
  /** A shape or run-time dimension that does not fit. */
  | 'TDSL_SHAPE'
  | 'TDSL_NOMEM'
  /** This machine lacks what the model was compiled for. */
  | 'TDSL_UNSUPPORTED'
  /** There is no GPU, or no driver for one. */
  | 'TDSL_NO_DEVICE'
  /** The driver of the GPU reported an error. */
  | 'TDSL_DRIVER'
  /** An asynchronous call is running on the session. */
  | 'TDSL_BUSY'
  /** The files of a compiled module do not belong together, or to this version of tdsl. */
  | 'TDSL_ABI'
  /** A bounded loop reached its bound. */
  | 'TDSL_LIMIT'
  /** An index in a tensor is out of range. */
  | 'TDSL_INDEX'
  /** A value that an operation cannot take. */
  | 'TDSL_VALUE'
  | 'TDSL_INTERNAL';

/** Runs a native call; what it throws is thrown as an error of ours. */
export function throwingOurs<R>(call: () => R): R {
  try {
    return call();
  } catch (error) {
    throw ours(error);
  }
}

/** The same of a call that runs on another thread. */
export const rejectingOurs = <R>(call: Promise<R>): Promise<R> =>
  call.catch((error: unknown) => {
    throw ours(error);
  });

/** An error with a code, as native code throws them, as `TdslError`; others stay what they are. */
function ours(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TdslError || !('code' in error)) return error;
  const { code } = error;
  return typeof code === 'string' && code.startsWith('TDSL_')
    ? new TdslError(code as ErrorCode, error.message, { cause: error })
    : error;
}

/** An error of a call or a session, with a code as native errors carry it. */
export class TdslError extends Error {
  override readonly name = 'TdslError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
