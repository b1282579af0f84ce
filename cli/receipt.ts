// Receipts of compiles: what was asked for, everything that the result depends on, and what was written. Where all of it is still so, compiling again
// would write the same files, and nothing of the compiler needs to be loaded to know that. They lie in the cache, one for each thing asked for.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ToolchainError } from '../codegen/build/errors.js';
import { removeOldest } from '../codegen/build/files.js';
import { hashOf, toolchainIdentity } from '../codegen/build/identity.js';
import { cacheDirectory } from '../codegen/build/places.js';
import { cpusOf } from '../codegen/build/target.js';
import { makeFolder } from '../runtime/io/folders.js';
import { fileError } from './errors.js';
import { nodeHost } from './host.js';
import type { CompiledModule, ModuleOptions } from './module.js';
import { lacksModuleType } from './module-type.js';
import { agrees, type Observation } from './observed-host.js';
import { installationIdentity, packageRoot } from './package.js';

/** A compile that is asked for. */
export interface Request {
  readonly file: string;
  readonly options: ModuleOptions;
}

/** What a compile read and wrote, and the surroundings in which it began. */
export interface Work {
  readonly surroundings: string | undefined;
  readonly observations: readonly Observation[];
  readonly files: readonly string[];
  readonly module: CompiledModule;
}

interface Receipt {
  readonly surroundings: string;
  /** What the module imports the runtime from. */
  readonly runtime: string;
  readonly observations: readonly Observation[];
  /** The files that were written, each with the hash of its content. */
  readonly files: readonly (readonly [file: string, hash: string])[];
  readonly module: CompiledModule;
}

/** So many receipts are kept; the oldest go first. */
const KEPT = 256;

const folder = (): string => path.join(cacheDirectory(), 'receipts');

/** Relative paths are also what messages of the program name, so that both the text and where it leads count. */
function placeOf({ file, options }: Request): string {
  const { outDir, dims = {}, defaultFloat, mode = 'release', emit = 'addon', cpu, cuda, archs, precision } = options;
  const asked = { file, outDir, dims, defaultFloat, mode, emit, cpu, cuda, archs, precision };
  return path.join(folder(), `${hashOf([process.cwd(), JSON.stringify(asked)])}.json`);
}

/** `tdsl` where a module in `outDir` can import it by name, else the URL of this package's runtime. */
export function runtimeSpecifier(outDir: string): string {
  try {
    createRequire(path.join(outDir, 'index.js')).resolve('tdsl/package.json');
    return 'tdsl';
  } catch {
    return pathToFileURL(path.join(packageRoot, 'dist', 'runtime', 'index.js')).href;
  }
}

/** What a compile depends on besides its request and the program: this package, the compilers, the machine; undefined where there is no compiler. */
export async function surroundings({ options }: Request, compilers?: Promise<string>): Promise<string | undefined> {
  const { emit, cpu = 'native', cuda } = options;
  try {
    const toolchain = emit === 'source' ? '' : await toolchainIdentity(cpusOf(cpu), cuda === 'gpu', compilers);
    return hashOf([installationIdentity(), toolchain]);
  } catch (error) {
    if (error instanceof ToolchainError) return undefined;
    throw error;
  }
}

const hashOfFile = (file: string): string => hashOf([readFileSync(file, 'latin1')]);

/** Files are compared as late as may be, and a file that is not there, or a receipt of another version, is as good as a difference. */
export async function findReceipt(request: Request): Promise<CompiledModule | undefined> {
  try {
    const receipt = JSON.parse(readFileSync(placeOf(request), 'utf8')) as Receipt;
    if (!agrees(nodeHost(), receipt.observations)) return undefined;
    if (!receipt.files.every(([file, hash]) => hashOfFile(file) === hash)) return undefined;
    const { outDir } = receipt.module;
    if ((request.options.emit ?? 'addon') === 'addon' && lacksModuleType(outDir)) return undefined;
    if (receipt.runtime !== runtimeSpecifier(outDir)) return undefined;
    return receipt.surroundings === (await surroundings(request)) ? receipt.module : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a receipt. It saves time and no more: where it cannot be written, the next compile does its work again. */
export async function keepReceipt(request: Request, work: Work): Promise<void> {
  const { observations, files, module } = work;
  if (work.surroundings === undefined) return;
  const receipt: Receipt = {
    surroundings: work.surroundings,
    runtime: runtimeSpecifier(module.outDir),
    observations,
    files: files.map((file) => [file, hashOfFile(file)]),
    module,
  };
  try {
    makeFolder(folder());
    const aside = `${placeOf(request)}.${process.pid}.tmp`;
    writeFileSync(aside, JSON.stringify(receipt));
    renameSync(aside, placeOf(request));
    await removeOldest(folder(), KEPT);
  } catch (error) {
    if (fileError(error) === undefined) throw error;
  }
}
