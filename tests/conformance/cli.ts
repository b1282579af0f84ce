// `npm run conformance -- [DIR]`: runs the reference cases of a folder, or of the repository; the last line is `N passed, N failed, N skipped`.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { backendNames, isBackendName } from '../../cli/backends.js';
import { caseFolder, transcriptionFolder } from './agree.js';
import { readGroups } from './cases.js';
import { type Outcome, runGroup } from './run.js';

interface Options {
  readonly backend: string;
  readonly group?: string;
  readonly json?: string;
  readonly transcriptions: string;
}

async function conformance(directory: string, options: Options): Promise<void> {
  if (!isBackendName(options.backend))
    throw new Error(`--backend takes ${backendNames.join(', ')}, got '${options.backend}'`);
  const all: Outcome[] = [];
  const count = (outcomes: readonly Outcome[], status: Outcome['status']): number =>
    outcomes.filter((o) => o.status === status).length;
  for (const group of readGroups(directory, options.group)) {
    const outcomes = await runGroup(group, options.backend, path.resolve(options.transcriptions));
    all.push(...outcomes);
    console.log(`${group.group.padEnd(12)} ${count(outcomes, 'passed')} of ${outcomes.length}`);
    for (const { id, status, reason } of outcomes) {
      if (status !== 'passed')
        console.log(`  ${status === 'failed' ? 'FAIL' : 'SKIP'} ${id}: ${(reason ?? '').replace(/\n/g, '\n       ')}`);
    }
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(all, null, 2)}\n`);
  console.log(`${count(all, 'passed')} passed, ${count(all, 'failed')} failed, ${count(all, 'skipped')} skipped`);
  process.exitCode = count(all, 'failed') > 0 ? 1 : 0;
}

const command = new Command('conformance')
  .argument('[dir]', 'folder of reference cases', caseFolder)
  .option('--backend <name>', backendNames.join(', '), 'interpreter')
  .option('--group <name>', 'only this group')
  .option('--json <file>', 'also write the outcomes as JSON')
  .option('--transcriptions <dir>', 'where programs, host functions and invalid programs are', transcriptionFolder)
  .action(conformance);
await command.parseAsync().catch((error: unknown) => {
  command.error(`error: ${error instanceof Error ? error.message : String(error)}`);
});
