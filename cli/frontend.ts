// Reads programs for the commands: source or text IR to a program, or an error with its diagnostics.

import { statSync } from 'node:fs';
import type { Diagnostic } from '../compiler/diagnostics/report.js';
import { renderDiagnostics, sortDiagnostics, toJson } from '../compiler/diagnostics/report.js';
import type { Host } from '../compiler/host.js';
import { type CompileOptions, compile } from '../compiler/index.js';
import type { Program } from '../compiler/program.js';
import { CommandError, exitStatus, ProgramError, useColor, userError } from './errors.js';
import { nodeHost } from './host.js';
import { readTextIr } from './text-ir.js';

/** The error of a program that has errors: the user's, or ours when the catalogue calls one a bug. */
export function programError(diagnostics: readonly Diagnostic[]): ProgramError {
  const sorted = sortDiagnostics(diagnostics);
  const bug = sorted.some(({ code }) => code.startsWith('B'));
  return new ProgramError(bug ? exitStatus.bug : exitStatus.user, sorted.map(toJson), (options) =>
    renderDiagnostics(sorted, options),
  );
}

/** Throws where there are errors, and prints to standard error where there are only warnings. */
export function failOnErrors(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.some(({ severity }) => severity === 'error')) throw programError(diagnostics);
  if (diagnostics.length === 0) return;
  const color = useColor(process.stderr);
  process.stderr.write(`${renderDiagnostics(sortDiagnostics(diagnostics), { color })}\n\n`);
}

/** Ends the command where a file that it is given does not exist or is a folder. */
export function requireFile(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) throw userError(`there is no file ${file}`);
  if (stats.isDirectory()) throw userError(`${file} is a folder, not a file`);
}

/** The program of a file of text IR. */
function readText(file: string, host: Host): Program {
  const text = host.readFile(file);
  if (text === undefined) throw userError(`${file} cannot be read`);
  return readTextIr(text, file);
}

export interface Loaded {
  readonly program: Program;
  /** Whether there was nothing to report. */
  readonly clean: boolean;
}

/** The program of a source file (`.td`) or of text IR (`.tdir`), before any pass, and whether it came without diagnostics. */
export function readProgram(file: string, options: CompileOptions = {}, host: Host = nodeHost()): Loaded {
  requireFile(file);
  if (file.endsWith('.tdir')) return { program: readText(file, host), clean: true };
  const { program, diagnostics } = compile(file, host, options);
  failOnErrors(diagnostics);
  if (program === undefined)
    throw new CommandError(exitStatus.bug, `no program came out of ${file}, and no error either`);
  return { program, clean: diagnostics.length === 0 };
}

/** The program of a file, before any pass. */
export const loadProgram = (file: string, options: CompileOptions = {}): Program => readProgram(file, options).program;
