// Cases of invalid programs: `errors/<id>.td` must be refused, at a place in the source, with a message that mentions what matters.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { nodeHost } from '../../cli/host.js';
import { renderDiagnostic } from '../../compiler/diagnostics/report.js';
import { checkFile } from '../../compiler/index.js';
import type { Case } from './cases.js';
import { CaseError } from './programs.js';

/** The reason why a case of kind `error` fails, or undefined. */
export function runErrorCase(testCase: Case, transcriptions: string): string | undefined {
  const file = path.join(transcriptions, 'errors', `${testCase.id}.td`);
  if (!existsSync(file)) throw new CaseError(`there is no transcription: errors/${path.basename(file)} is missing`);
  const errors = checkFile(file, nodeHost()).diagnostics.filter(({ severity }) => severity === 'error');
  if (testCase.phase === 'not-expressible' && errors.length === 0) return undefined;
  if (errors.length === 0) return 'the program is accepted';
  const text = errors.map((error) => renderDiagnostic(error)).join('\n');
  const missing = (testCase.must_mention ?? []).filter((word) => !text.includes(word));
  return missing.length === 0
    ? undefined
    : `the report lacks ${missing.map((word) => `'${word}'`).join(', ')}:\n${text}`;
}
