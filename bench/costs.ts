// What users wait for beside kernels, as data: the call of a function, compiles, and the size of what they give. There are no peers; each
// has a limit that is aimed at.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { compileModule } from '../cli/module.js';
import { packageRoot } from '../cli/package.js';
import { type Clock, Contestant } from './contestants/protocol.js';
import { buildCallProbe } from './peers/install.js';
import type { Effort, Places } from './run.js';
import type { Workload } from './workloads.js';

export interface Cost {
  readonly suite: 'call' | 'compile';
  /** The name of the row. */
  readonly name: string;
  readonly limit: number;
  readonly note: string;
  /** Milliseconds, or what the name says. */
  measure(places: Places, effort: Effort): Promise<readonly number[]>;
}

const model = (places: Places, name: string): string => path.join(places.bench, 'models', `${name}.td`);

// --- calls ---------------------------------------------------------------------------------------------------------------------

const tiny: Workload = {
  suite: 'call',
  name: 'add',
  model: 'add',
  fn: 'add',
  dims: {},
  inputs: ['a', 'b'].map((name) => ({ name, dtype: 'f32', shape: [4] })),
  peers: [],
  flops: 0,
  bytes: 0,
};

/** The times of a call from Node less the one from C, in the same rounds. */
async function overhead(places: Places, { rounds, milliseconds, clock }: Effort): Promise<readonly number[]> {
  const [library, module] = ['call-lib', 'call'].map((name) => path.join(places.work, 'modules', name)) as [
    string,
    string,
  ];
  await compileModule(model(places, tiny.model), { outDir: library, emit: 'lib' });
  await compileModule(model(places, tiny.model), { outDir: module });
  const native = new Contestant([buildCallProbe(places.bench, library, tiny.model)], process.env);
  const ours = new Contestant([process.execPath, path.join(places.dist, 'contestants', 'ours.js')], process.env);
  const found: number[] = [];
  try {
    const { error } = await ours.ask({ do: 'load', workload: tiny, threads: 1, files: { module } });
    if (error !== undefined) throw new Error(`the call of ${tiny.name}: ${error}`);
    for (let round = 0; round < rounds; round++) {
      const inC = await native.time(clock);
      const { milliseconds: inNode = [] } = await ours.ask({ do: 'time', milliseconds, clock });
      found.push(...inNode.map((time) => time - inC));
    }
  } finally {
    native.end();
    ours.end();
  }
  return found;
}

// --- compiles ------------------------------------------------------------------------------------------------------------------

/** The processor time of all child processes that have ended, with theirs; Linux counts it in hundredths of a second. */
function childMilliseconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return 10 * (Number(fields[13]) + Number(fields[14]));
}

const now = (clock: Clock): number => (clock === 'cpu' ? childMilliseconds() : performance.now());

/** Files of a cache of its own that a compile of something unknown does not find. */
const KEPT_WORK = ['objects', 'modules', 'receipts'];

/** Compiles as the command line does, with a cache of the benchmark's own; returns the time. */
function compile(file: string, places: Places, clock: Clock): number {
  const cache = path.join(places.work, 'compile', 'cache');
  const args = [
    path.join(packageRoot, 'bin', 'tdsl.js'),
    'compile',
    file,
    '-o',
    path.join(places.work, 'compile', 'out'),
  ];
  const start = now(clock);
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, TDSL_CACHE_DIR: cache },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`tdsl compile ${file}: ${stderr}`);
  return now(clock) - start;
}

/** Compiles a model once, then variants of it: the text of round 0, 1, … */
function variants(name: string, variant: (text: string, round: number) => string, forget: boolean): Cost['measure'] {
  return async (places, { rounds, clock }) => {
    const folder = path.join(places.work, 'compile');
    const file = path.join(folder, `${name}.td`);
    const text = readFileSync(model(places, name), 'utf8');
    const forgetAll = (): void => {
      for (const part of KEPT_WORK) rmSync(path.join(folder, 'cache', part), { recursive: true, force: true });
      rmSync(path.join(folder, 'out'), { recursive: true, force: true });
    };
    mkdirSync(folder, { recursive: true });
    forgetAll();
    writeFileSync(file, text);
    compile(file, places, clock);
    const found: number[] = [];
    for (let round = 0; round < Math.min(rounds, 5); round++) {
      if (forget) forgetAll();
      writeFileSync(file, variant(text, round));
      found.push(compile(file, places, clock));
    }
    return found;
  };
}

const same = (text: string): string => text;
/** The learning rate of the MLP, which is a constant in the kernels of the optimizer. */
const otherRate = (text: string, round: number): string => text.replace('lr: 0.1', `lr: 0.1${round + 1}`);

async function size(places: Places): Promise<readonly number[]> {
  const outDir = path.join(places.work, 'modules', 'lenet');
  return [(await compileModule(model(places, 'lenet'), { outDir })).artefact.bytes / 1e6];
}

const cores = `${os.availableParallelism()} cores`;

export const costs: readonly Cost[] = [
  { suite: 'call', name: 'bound call, over C', limit: 0.0003, note: 'add of two f32[4]', measure: overhead },
  { suite: 'compile', name: 'MLP, unchanged', limit: 300, note: cores, measure: variants('mlp', same, false) },
  { suite: 'compile', name: 'MLP, another rate', limit: 1500, note: cores, measure: variants('mlp', otherRate, false) },
  { suite: 'compile', name: 'MLP, all anew', limit: 1500, note: cores, measure: variants('mlp', same, true) },
  { suite: 'compile', name: 'VGG-like, all anew', limit: 8000, note: cores, measure: variants('vgg', same, true) },
  { suite: 'compile', name: 'LeNet addon, MB', limit: 1, note: 'a size, no time', measure: size },
];
