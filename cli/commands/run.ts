// `tdsl run`: evaluates one function of a program on arguments from JSON.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EvaluationError } from '../../compiler/ir/evaluate/error.js';
import { hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Entry } from '../../compiler/program.js';
import type { ErrorCode } from '../../runtime/errors.js';
import { loadSafetensors } from '../../runtime/io/safetensors.js';
import { type BackendName, backendNames, type Instance, instantiate } from '../backends.js';
import { lower } from '../build.js';
import { CommandError, type ExitStatus, exitStatus, usageError, userError } from '../errors.js';
import { loadProgram, requireFile } from '../frontend.js';
import { type Arguments, parseJson, readStructure, writeStructure } from '../json.js';
import { parseDefaultFloat, parseDims, parsePrecision } from '../options.js';

interface Options {
  readonly fn: string;
  readonly args?: string;
  readonly backend: string;
  readonly check?: boolean;
  readonly seed: string;
  readonly weights?: string;
  readonly dim: readonly string[];
  readonly defaultFloat?: string;
  readonly precision?: string;
}

/** The arguments of an entry from a file: an array in parameter order, or an object by name. */
function readArguments(entry: Entry, file: string | undefined): Arguments {
  const text = file === undefined ? '[]' : readFileSync(file, 'utf8');
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw userError(`${file}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof json !== 'object' || json === null) throw userError(`${file}: expected a list or an object of arguments`);
  const names = entry.arguments.map(({ name }) => name);
  const byName = json as Record<string, never>;
  if (Array.isArray(json) && json.length !== names.length) {
    const takes = `${entry.name} takes ${names.length} argument${names.length === 1 ? '' : 's'} (${names.join(', ')})`;
    throw userError(
      file === undefined ? `${takes}: give them with --args FILE.json` : `${takes}, ${file} has ${json.length}`,
    );
  }
  const unknown = Array.isArray(json) ? undefined : Object.keys(json).find((key) => !names.includes(key));
  if (unknown !== undefined)
    throw userError(`${entry.name} has no argument '${unknown}'; it takes ${names.join(', ')}`);
  const found: Arguments = { tensors: [], dims: new Map() };
  entry.arguments.forEach(({ name, structure }, i) => {
    readStructure(structure, Array.isArray(json) ? (json[i] as never) : byName[name], name, found);
  });
  return found;
}

/** How the command ends for the codes of calls that fail; the others are bugs. */
const callStatus: Readonly<Partial<Record<ErrorCode, ExitStatus>>> = {
  TDSL_ARG: exitStatus.user,
  TDSL_SHAPE: exitStatus.user,
  TDSL_LIMIT: exitStatus.user,
  TDSL_INDEX: exitStatus.user,
  TDSL_VALUE: exitStatus.user,
  TDSL_NOMEM: exitStatus.machine,
  TDSL_UNSUPPORTED: exitStatus.machine,
  TDSL_NO_DEVICE: exitStatus.machine,
  TDSL_DRIVER: exitStatus.machine,
};

/** An error of a call as the end of the command. Native code throws plain errors, which have the same codes. */
function callError(error: unknown): CommandError | undefined {
  if (!(error instanceof Error && 'code' in error)) return undefined;
  const status = callStatus[error.code as ErrorCode];
  return status === undefined ? undefined : new CommandError(status, error.message);
}

/** Sets the state from a file: every leaf that the program has must be there with its dtype and shape. */
async function loadWeights(instance: Instance, file: string): Promise<void> {
  requireFile(file);
  const { tensors } = await loadSafetensors(file);
  instance.program.state.forEach((leaf, i) => {
    const tensor = tensors[leaf.path];
    if (tensor === undefined) {
      if (leaf.role === 'key') return;
      throw userError(`${file} has no tensor ${leaf.path}`);
    }
    if (tensor.dtype !== leaf.dtype || tensor.shape.join() !== leaf.shape.join()) {
      throw userError(
        `${file}: ${leaf.path} is ${tensor.dtype}[${tensor.shape.join(', ')}], the program needs ${leaf.dtype}[${leaf.shape.join(', ')}]`,
      );
    }
    instance.setState(
      i,
      hostTensor(
        leaf.dtype,
        leaf.shape,
        Array.from<number | bigint>(tensor.dtype === 'i64' ? (tensor.data as BigInt64Array) : tensor.toNumbers()),
      ),
    );
  });
}

/** The backend that the options name. */
function backendOf({ backend, check }: Options): BackendName {
  const names = backendNames.filter((name) => name !== 'cuda-checked');
  if (!names.some((name) => name === backend))
    throw usageError(`--backend takes ${names.join(', ')}, got '${backend}'`);
  if (check !== true) return backend as BackendName;
  if (backend !== 'cuda-emulated') throw usageError('--check watches kernels of --backend cuda-emulated');
  return 'cuda-checked';
}

async function run(file: string, options: Options): Promise<void> {
  const seed = Number(options.seed);
  if (!Number.isSafeInteger(seed)) throw usageError(`--seed takes an integer, got '${options.seed}'`);
  const backend = backendOf(options);
  const precision = parsePrecision(options.precision, {
    isForGpus: backend.startsWith('cuda'),
    wanted: '--backend cuda or cuda-emulated',
    found: `--backend ${backend}`,
  });
  if (options.args !== undefined) requireFile(options.args);
  const program = loadProgram(file, {
    dims: parseDims(options.dim),
    entries: [options.fn],
    ...parseDefaultFloat(options.defaultFloat),
  });
  const entry = program.entries.find(({ name }) => name === options.fn);
  if (entry === undefined) throw userError(`${file} has no function '${options.fn}'`);
  const args = readArguments(entry, options.args);
  try {
    const instance = await instantiate(lower(program, precision.precision), backend, precision);
    instance.seed(seed);
    if (options.weights !== undefined) await loadWeights(instance, options.weights);
    const results = instance.run(options.fn, args.tensors, args.dims);
    process.stdout.write(`${writeStructure(entry.result, results)}\n`);
  } catch (error) {
    // The names of the graph are those of the program, behind a sign.
    if (error instanceof EvaluationError) throw userError(error.message.replace(/[%@](?=\w)/g, ''));
    throw callError(error) ?? error;
  }
}

export function addRun(program: Command): void {
  program
    .command('run')
    .description('evaluate one function on arguments from JSON')
    .argument('<file>', 'a program (.td) or text IR (.tdir)')
    .requiredOption('--fn <name>', 'the function')
    .option('--args <file>', 'its arguments: a list in parameter order, or an object by name')
    .option(
      '--backend <name>',
      'interpreter, c, cuda, or cuda-emulated (the kernels of cuda on the CPU)',
      'interpreter',
    )
    .option(
      '--check',
      'with cuda-emulated: find races, divergent barriers, accesses out of bounds and of unwritten memory',
    )
    .option('--precision <name>', 'with cuda and cuda-emulated: products of f32 in f32 (default), tf32 or bf16')
    .option('--seed <n>', 'initialises state that no file gives', '0')
    .option('--weights <file>', 'state from a safetensors file')
    .option('--default-float <dtype>', 'the dtype of floats that state none (default: what the file says, or f32)')
    .option(
      '--dim <name=size>',
      'fix a dimension (repeatable)',
      (value: string, all: readonly string[]) => [...all, value],
      [],
    )
    .action(run);
}
