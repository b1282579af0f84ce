// Cases of the host side: TypeScript functions by the case's name in `<group>.ts`, bundled and imported here.

import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { build } from 'esbuild';
import { packageRoot } from '../../cli/package.js';
import { Tensor } from '../../runtime/index.js';
import { type Case, caseNumber, functionName } from './cases.js';
import { CaseError } from './programs.js';

export type HostModule = Readonly<Record<string, unknown>>;

/** The module of a group's host functions; empty where there is no file. */
export async function loadHostModule(group: string, transcriptions: string): Promise<HostModule> {
  const source = path.join(transcriptions, `${group}.ts`);
  if (!existsSync(source)) return {};
  // Bundled into dist/, so that `tdsl` resolves to this package wherever the transcriptions lie.
  const outDir = path.join(packageRoot, 'dist', 'tests', 'conformance', '.host');
  mkdirSync(outDir, { recursive: true });
  const outfile = path.join(outDir, `${group}.${process.pid}.mjs`);
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return (await import(pathToFileURL(outfile).href)) as HostModule;
}

/** Runs a case of kind `struct` or `text`: the reason why it fails, or undefined. */
export async function runHostCase(testCase: Case, module: HostModule): Promise<string | undefined> {
  const fn = module[functionName(testCase.id)];
  if (typeof fn !== 'function')
    throw new CaseError(`there is no transcription: ${testCase.group}.ts exports no ${functionName(testCase.id)}`);
  const inputs = (testCase.inputs ?? []).map(({ dtype, shape, data = [] }) =>
    Tensor.from(data.map(caseNumber), { dtype, shape }),
  );
  const got: unknown = await fn(...inputs);
  if (testCase.kind === 'text') {
    return got === testCase.text ? undefined : `got ${JSON.stringify(got)}, want ${JSON.stringify(testCase.text)}`;
  }
  return isDeepStrictEqual(got, testCase.value)
    ? undefined
    : `got ${JSON.stringify(got)}, want ${JSON.stringify(testCase.value)}`;
}
