// Finds out what this machine lacks for building native code, and says how to get it.

import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { ToolchainError } from './errors.js';
import { writableCache } from './places.js';
import { run } from './process.js';

/** One thing that was looked at. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** What is there: a version, a path, or `not found`. */
  readonly found: string;
  /** How to get what is missing; only where `ok` is false. */
  readonly hint?: string;
  /** Whether most of what tdsl does needs no such thing. */
  readonly optional?: boolean;
}

const LEAST_NODE = [20, 17];
const LEAST_CMAKE = [3, 15];

/** How packages are installed, by the ID of /etc/os-release; the last one is for all others. */
const INSTALL: readonly (readonly [RegExp, string])[] = [
  [/\b(debian|ubuntu)\b/, 'sudo apt-get install cmake g++ make'],
  [/\b(fedora|rhel|centos)\b/, 'sudo dnf install cmake gcc-c++ make'],
  [/\barch\b/, 'sudo pacman -S cmake gcc make'],
  [/\balpine\b/, 'apk add cmake g++ make'],
  [/\bsuse\b/, 'sudo zypper install cmake gcc-c++ make'],
  [/\bdarwin\b/, 'xcode-select --install && brew install cmake'],
  [/(?:)/, 'install cmake (3.15 or newer), a C and C++ compiler, and make or ninja'],
];

/** The command that installs the toolchain on this system. */
export async function installHint(): Promise<string> {
  let system: string = os.platform();
  if (system === 'linux') {
    const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
    system = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)/gm)].map((match) => match[1]).join(' ');
  }
  return INSTALL.find(([pattern]) => pattern.test(system))![1];
}

function atLeast(version: string, least: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [i, wanted] of least.entries()) if ((parts[i] ?? 0) !== wanted) return (parts[i] ?? 0) > wanted;
  return true;
}

/** Asks a program for its version: the first number with dots in what it says; undefined where it cannot be run. */
async function versionOf(command: readonly string[]): Promise<string | undefined> {
  const { status, output } = await run(command);
  return status === 0 ? (/\d+(\.\d+)+/.exec(output)?.[0] ?? 'unknown version') : undefined;
}

async function tool(name: string, candidates: readonly string[], least?: readonly number[]): Promise<Finding> {
  const hint = await installHint();
  for (const program of candidates) {
    const version = await versionOf([program, '--version']);
    if (version === undefined) continue;
    const found = `${program} ${version}`;
    if (!least || atLeast(version, least)) return { name, ok: true, found };
    return { name, ok: false, found, hint: `${name} ${least.join('.')} or newer is needed: ${hint}` };
  }
  return { name, ok: false, found: 'not found', hint };
}

async function cache(): Promise<Finding> {
  try {
    return { name: 'cache', ok: true, found: await writableCache() };
  } catch (error) {
    if (!(error instanceof ToolchainError)) throw error;
    return { name: 'cache', ok: false, found: error.message, hint: error.hint };
  }
}

function node(): Finding {
  const found = process.versions.node;
  if (atLeast(found, LEAST_NODE)) return { name: 'node', ok: true, found };
  return { name: 'node', ok: false, found, hint: `install Node ${LEAST_NODE.join('.')} or newer: https://nodejs.org` };
}

/** The vector extensions that emitted code profits from, as the operating system names them. */
const VECTOR_FEATURES = ['sse4_2', 'avx', 'f16c', 'fma', 'avx2', 'avx512f', 'avx512bf16', 'asimd', 'asimdhp', 'sve'];

async function cpu(): Promise<Finding> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? []);
  const names = VECTOR_FEATURES.filter((name) => flags.has(name));
  const model = os.cpus()[0]?.model.trim() ?? 'unknown';
  return {
    name: 'cpu',
    ok: true,
    found: `${process.arch}, ${os.availableParallelism()} cores, ${model}${names.length > 0 ? `: ${names.join(' ')}` : ''}`,
  };
}

/** Looks at everything that building native code needs. */
export async function diagnose(): Promise<Finding[]> {
  const { CC, CXX } = process.env;
  return Promise.all([
    node(),
    tool('cmake', ['cmake'], LEAST_CMAKE),
    tool('C compiler', CC ? [CC] : ['cc', 'gcc', 'clang']),
    tool('C++ compiler', CXX ? [CXX] : ['c++', 'g++', 'clang++']),
    tool('make or ninja', ['ninja', 'make']),
    cache(),
    cpu(),
  ]);
}

/** One line for a finding. */
export function formatFinding({ name, ok, found, hint, optional }: Finding): string {
  return `${ok ? 'ok     ' : optional ? 'without' : 'missing'} ${name}: ${found}${hint ? `; ${hint}` : ''}`;
}

/** A failed step of the toolchain as an error: it names what is missing, or else shows what the tool said. */
export async function explainFailure(step: string, output: string): Promise<ToolchainError> {
  const missing = (await diagnose()).filter(({ ok }) => !ok);
  const works = "'tdsl check', 'tdsl ir' and 'tdsl run --backend interpreter' work without it";
  if (missing.length > 0) {
    const what = missing.map(({ name, found }) => (found === 'not found' ? `${name} not found` : `${name}: ${found}`));
    const hints = [...new Set(missing.map(({ hint }) => hint))].join('; ');
    return new ToolchainError(`cannot build native code: ${what.join(', ')}`, `${hints}. ${works}`);
  }
  return new ToolchainError(
    `cannot build native code: ${step} failed\n${output.trim()}`,
    `run 'npx tdsl doctor'. ${works}`,
  );
}
