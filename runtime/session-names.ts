// The names of a session's members: its own, and those that functions and state of a program get. The checker of programs and the runtime share them.

/**
 * Names that functions and state of a model cannot have: a session has them itself, or `await` looks for them (`then`). They are written out, so
 * that the compiler knows them without loading sessions; a test compares them with the class.
 */
export const RESERVED_NAMES: readonly string[] = [
  'clone',
  'constructor',
  'describeModel',
  'eval',
  'fetchState',
  'keepState',
  'load',
  'loadStateDict',
  'manifest',
  'mode',
  'namedBuffers',
  'namedModules',
  'namedParameters',
  'parameters',
  'save',
  'saveBundle',
  'sendState',
  'stateDict',
  'then',
  'train',
];

/** `train_step` as `trainStep`. */
export const camelCase = (name: string): string =>
  name.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** What the asynchronous form of a method is called. */
export const asyncName = (jsName: string): string => `${jsName}Async`;
