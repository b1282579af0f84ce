// The samples of failing programs: the example of every code of the catalogue, and programs with the mistakes that newcomers make. The
// report of each is recorded in tests/samples/diagnostics.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { nodeHost } from '../../cli/host.js';
import { type CodeEntry, catalogue, isDiagnosticCode } from '../../compiler/diagnostics/catalogue.js';
import { type Diagnostic, renderDiagnostics } from '../../compiler/diagnostics/report.js';
import { checkFile } from '../../compiler/index.js';

const folder = path.join('tests', 'samples', 'diagnostics');

export interface Sample {
  /** The name of the file that the reports show. */
  readonly name: string;
  readonly text: string;
  /** The file with the recorded report. */
  readonly report: string;
  /** The code that the sample must give, where it is there for one. */
  readonly code?: string;
}

/** Codes of what no program of the language brings about: bugs, and errors of the host. */
const withoutProgram = (code: string): boolean => code.startsWith('B') || code.startsWith('E06');

/** All samples: the examples of the catalogue, then the files of the folder. */
export function samples(): readonly Sample[] {
  const codes = Object.keys(catalogue).filter(isDiagnosticCode).sort();
  const examples = codes
    .filter((code) => !withoutProgram(code))
    .map((code): Sample => {
      const { example }: CodeEntry = catalogue[code];
      return { name: `${code}.td`, text: example, report: path.join(folder, 'catalogue', `${code}.txt`), code };
    });
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.td'))
    .sort()
    .map((name): Sample => {
      const text = readFileSync(path.join(folder, name), 'utf8');
      return { name, text, report: path.join(folder, name.replace(/td$/, 'txt')) };
    });
  return [...examples, ...files];
}

/** What the checker finds in a sample. */
export function check({ name, text }: Sample): readonly Diagnostic[] {
  const host = nodeHost();
  return checkFile(name, { ...host, readFile: (file) => (file === name ? text : host.readFile(file)) }).diagnostics;
}

/** The report of a sample as it is recorded. */
export const reportOf = (sample: Sample): string => `${renderDiagnostics(check(sample))}\n`;
