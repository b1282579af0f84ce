// Runs a program and captures what it writes.

import { spawn } from 'node:child_process';

export interface ProcessResult {
  /** Null where a signal ended the program, or where it could not be started. */
  readonly status: number | null;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

/** The compilers that the environment names, or the usual ones; a variable that is set to nothing counts as unset. */
export const compilers = (): { readonly c: string; readonly cxx: string } => ({
  c: process.env.CC || 'cc',
  cxx: process.env.CXX || 'c++',
});

/** Flags of the user's environment would change numerics behind our back (`-ffast-math`, `-use_fast_math`), and the cache does not know them. */
const IGNORED = [
  'CFLAGS',
  'CXXFLAGS',
  'CPPFLAGS',
  'LDFLAGS',
  'CMAKE_GENERATOR',
  'NVCC_PREPEND_FLAGS',
  'NVCC_APPEND_FLAGS',
];

/** Runs a program to its end. Never throws: a program that cannot be started gives a null status and the reason as output. */
export function run(command: readonly string[], cwd?: string): Promise<ProcessResult> {
  const [file = '', ...args] = command;
  if (file === '') return Promise.resolve({ status: null, output: 'no program is named' });
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !IGNORED.includes(name)));
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env: { ...env, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => resolve({ status: null, output: error.message }));
    child.on('close', (status) => resolve({ status, output: Buffer.concat(chunks).toString('utf8') }));
  });
}
