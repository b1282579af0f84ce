// Checks programs that are held in memory, and what every report must be, whatever the program is.

import * as assert from 'uvu/assert';
import { nodeHost } from '../../cli/host.js';
import { type Diagnostic, renderDiagnostics } from '../../compiler/diagnostics/report.js';
import { checkFile } from '../../compiler/index.js';

/** Files by path. */
export type Files = Readonly<Record<string, string>>;

/** What the checker says of the first of these files. */
export function checkFiles(files: Files): readonly Diagnostic[] {
  const host = nodeHost();
  const [main = ''] = Object.keys(files);
  return checkFile(main, { ...host, readFile: (path) => files[path.replace(/^\.\//, '')] ?? host.readFile(path) })
    .diagnostics;
}

/** The codes of a program's diagnostics. */
export const codesOf = (text: string): readonly string[] => checkFiles({ 'main.td': text }).map(({ code }) => code);

/** Every diagnostic is the program's fault or a limitation, points into the program, and can be shown. */
export function assertSound(diagnostics: readonly Diagnostic[]): void {
  for (const { code, message, source, span, severity } of diagnostics) {
    const what = `${code}: ${message}`;
    assert.not.match(code, /^B/, what);
    assert.not.match(source.path, /^std\//, `reported inside of the library: ${what}`);
    assert.ok(
      0 <= span.start && span.start <= span.end && span.end <= source.text.length,
      `outside of the text: ${what}`,
    );
    assert.ok(span.end > 0 || source.text.trim() === '', `without a place: ${what}`);
    assert.ok(severity === 'error' || severity === 'warning', what);
  }
  renderDiagnostics(diagnostics);
}
