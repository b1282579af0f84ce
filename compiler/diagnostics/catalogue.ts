/** The catalogue: every diagnostic that tdsl can give, by its stable code. The entries live in `codes/`, by phase. */
import { bugCodes } from './codes/bugs.js';
import { calculusCodes } from './codes/calculus.js';
import type { CodeEntry } from './codes/entry.js';
import { limitCodes } from './codes/limits.js';
import { modelCodes } from './codes/models.js';
import { nameCodes } from './codes/names.js';
import { runtimeCodes } from './codes/runtime.js';
import { shapeCodes } from './codes/shapes.js';
import { syntaxCodes } from './codes/syntax.js';

export type { CodeEntry, DiagnosticClass } from './codes/entry.js';

const entries = {
  ...syntaxCodes,
  ...nameCodes,
  ...shapeCodes,
  ...modelCodes,
  ...calculusCodes,
  ...runtimeCodes,
  ...limitCodes,
  ...bugCodes,
} as const;

/** A code of the catalogue; a code that it lacks does not compile. */
export type DiagnosticCode = keyof typeof entries;

/** What the catalogue says, by code. */
export const catalogue: { readonly [code in DiagnosticCode]: CodeEntry } = entries;

/** The ranges of codes, in the order in which the phases run. */
const ranges = [
  { prefix: 'E01', title: 'Syntax' },
  { prefix: 'E02', title: 'Names and imports' },
  { prefix: 'E03', title: 'Types, shapes and dimensions' },
  { prefix: 'E04', title: 'Models, state and effects' },
  { prefix: 'E05', title: 'Derivatives' },
  { prefix: 'E06', title: 'Running, files and the toolchain' },
  { prefix: 'L09', title: 'Limitations' },
  { prefix: 'B09', title: 'Bugs of tdsl' },
] as const;

const classNotes = {
  user: '',
  limitation: 'This is a limitation of tdsl: the program is meaningful.\n\n',
  bug: 'This is a bug of tdsl, never of the program.\n\n',
} as const;

/** Whether a text is a code of the catalogue. */
export function isDiagnosticCode(code: string): code is DiagnosticCode {
  return Object.hasOwn(catalogue, code);
}

/** The page of one code, in Markdown. */
export function codePage(code: DiagnosticCode): string {
  const entry: CodeEntry = catalogue[code];
  const fence = entry.example.includes('```') ? '````' : '```';
  return `### ${code}: ${entry.title}\n\n${classNotes[entry.class]}${entry.explanation.trim()}\n\n${fence}td\n${entry.example.trim()}\n${fence}\n`;
}

/** The whole catalogue as one Markdown document, which is `docs/errors.md`. */
export function catalogueMarkdown(): string {
  const codes = Object.keys(catalogue).filter(isDiagnosticCode).sort();
  const sections = ranges
    .map(({ prefix, title }) => ({ title, pages: codes.filter((code) => code.startsWith(prefix)).map(codePage) }))
    .filter(({ pages }) => pages.length > 0)
    .map(({ title, pages }) => `## ${title}\n\n${pages.join('\n')}`);
  return `# Diagnostics\n\n${intro}\n${sections.join('\n')}`;
}

const intro = `Every diagnostic has a code that stays the same from version to version. Codes that begin with \`E\` are errors of the
program or of its input, those with \`L\` are limitations of tdsl, those with \`B\` are bugs of tdsl: please report them.
The example of each code is a program that gives it.
`;
