// Cases of invalid programs: `errors/<id>.td` must be refused, at a place in the source, with a message that mentions what matters. Where
// only running can fail, the program is right, and a function by the case's name in `errors.ts` runs into the error.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { nodeHost } from '../../cli/host.js';
import { renderDiagnostic } from '../../compiler/diagnostics/report.js';
import { type Compiled, checkFile } from '../../compiler/index.js';
import { type Case, functionName } from './cases.js';
import type { HostModule } from './host-cases.js';
import { CaseError } from './programs.js';

/** The reason why a case of kind `error` fails, or undefined. */
export async function runErrorCase(
  testCase: Case,
  transcriptions: string,
  module: HostModule,
): Promise<string | undefined> {
  const file = path.join(transcriptions, 'errors', `${testCase.id}.td`);
  if (!existsSync(file)) throw new CaseError(`there is no transcription: errors/${path.basename(file)} is missing`);
  const compiled = checkFile(file, nodeHost());
  const errors = compiled.diagnostics.filter(({ severity }) => severity === 'error');
  const text = errors.map((error) => renderDiagnostic(error)).join('\n');
  if (testCase.phase === 'not-expressible' && errors.length === 0) return undefined;
  if (testCase.phase === 'run' && errors.length === 0)
    return missing(testCase, await failure(testCase, compiled, module));
  return errors.length === 0 ? 'the program is accepted' : missing(testCase, text);
}

/** What a report lacks of what the case wants mentioned. */
function missing(testCase: Case, text: string | undefined): string | undefined {
  if (text === undefined) return 'the program runs';
  const words = (testCase.must_mention ?? []).filter((word) => !text.includes(word));
  return words.length === 0 ? undefined : `the report lacks ${words.map((word) => `'${word}'`).join(', ')}:\n${text}`;
}

/** The message of the error that running the case's program gives. */
async function failure(testCase: Case, { program }: Compiled, module: HostModule): Promise<string | undefined> {
  const run = module[functionName(testCase.id)];
  if (typeof run !== 'function')
    throw new CaseError(`there is no transcription: errors.ts lacks ${functionName(testCase.id)}`);
  try {
    await run(program);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
