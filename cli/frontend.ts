// Reads programs for the commands: source or text IR to a program, with diagnostics printed as they are found.

import { readFileSync, statSync } from 'node:fs';
import type { Diagnostic } from '../compiler/diagnostics/report.js';
import { renderDiagnostics, sortDiagnostics } from '../compiler/diagnostics/report.js';
import { type CompileOptions, compile } from '../compiler/index.js';
import { dtypes, isDType, isFloat } from '../compiler/ir/dtype.js';
import { ParseError, parseProgram } from '../compiler/ir/parse.js';
import type { Program } from '../compiler/program.js';
import { CommandError, exitStatus, usageError, userError } from './errors.js';
import { nodeHost } from './host.js';

const useColor = (stream: NodeJS.WriteStream): boolean => stream.isTTY === true && process.env.NO_COLOR === undefined;

/** Prints diagnostics to standard error; returns the number of errors among them. */
export function report(diagnostics: readonly Diagnostic[]): number {
  const color = useColor(process.stderr);
  if (diagnostics.length > 0) process.stderr.write(`${renderDiagnostics(sortDiagnostics(diagnostics), { color })}\n\n`);
  return diagnostics.filter(({ severity }) => severity === 'error').length;
}

/** Ends the command when there were errors: with the user's status, or ours when the catalogue calls one a bug. */
export function failOnErrors(diagnostics: readonly Diagnostic[]): void {
  const errors = report(diagnostics);
  if (errors === 0) return;
  const bug = diagnostics.some(({ code }) => code.startsWith('B'));
  throw new CommandError(bug ? exitStatus.bug : exitStatus.user, `${errors} error${errors === 1 ? '' : 's'}`);
}

/** Ends the command where a file that it is given does not exist or is a folder. */
export function requireFile(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) throw userError(`there is no file ${file}`);
  if (stats.isDirectory()) throw userError(`${file} is a folder, not a file`);
}

/** The program of a file of text IR. */
function readText(file: string): Program {
  try {
    return parseProgram(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof ParseError) throw userError(error.message);
    throw error;
  }
}

/** The program of a source file (`.td`) or of text IR (`.tdir`), before any pass. */
export function loadProgram(file: string, options: CompileOptions = {}): Program {
  requireFile(file);
  if (file.endsWith('.tdir')) return readText(file);
  const { program, diagnostics } = compile(file, nodeHost(), options);
  failOnErrors(diagnostics);
  if (program === undefined)
    throw new CommandError(exitStatus.bug, `no program came out of ${file}, and no error either`);
  return program;
}

/** `--default-float f64` as an option of the compiler. */
export function parseDefaultFloat(name: string | undefined): Pick<CompileOptions, 'defaultFloat'> {
  if (name === undefined) return {};
  if (isDType(name) && isFloat(name)) return { defaultFloat: name };
  throw usageError(`--default-float takes ${dtypes.filter(isFloat).join(', ')}, got '${name}'`);
}

/** `--dim B=64`, repeated, as a map from dimension to size. */
export function parseDims(settings: readonly string[]): Record<string, number> {
  const entries = settings.map((setting): [string, number] => {
    const match = /^([A-Za-z_]\w*)=(\d+)$/.exec(setting);
    if (match?.[1] === undefined || match[2] === undefined) throw usageError(`--dim takes NAME=SIZE, got '${setting}'`);
    return [match[1], Number(match[2])];
  });
  return Object.fromEntries(entries);
}
