// Times one workload: contestants take turns in short stretches, so that a machine that gets slower or busier is so for all of them.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { compileModule } from '../cli/module.js';
import { type Answer, type Clock, Contestant } from './contestants/protocol.js';
import { curves, type PeerName, type Workload, workloads } from './workloads.js';

/** Where things are. */
export interface Places {
  /** The sources of the benchmark. */
  readonly bench: string;
  /** Its compiled files. */
  readonly dist: string;
  /** What it builds. */
  readonly work: string;
  readonly probe: string;
  readonly packages: string | undefined;
  readonly python: Readonly<Partial<Record<'torch' | 'numpy', Python>>>;
}

/** A Python that has the library, and what to set so that its OpenBLAS is fastest (peers/openblas.ts). */
export interface Python {
  readonly command: string;
  readonly kernels: Readonly<Record<string, string>>;
}

export interface Effort {
  readonly rounds: number;
  /** Of each contestant in each round. */
  readonly milliseconds: number;
  readonly clock: Clock;
}

/** The times of a contestant, sorted. */
export interface Times {
  readonly median: number;
  /** A quarter of the samples took less: what the machine can do where others work on it too. */
  readonly low: number;
}

export interface Outcome {
  readonly workload: Workload;
  readonly threads: number;
  /** Built with run-time dimensions. */
  readonly ours: Times;
  /** Built with its dimensions fixed. */
  readonly fixed: Times | undefined;
  readonly peers: readonly {
    readonly name: PeerName;
    readonly version: string;
    readonly times?: Times;
    readonly error?: string;
  }[];
  readonly floorMilliseconds: number;
  /** FLOP/s and bytes per second of this machine while this ran. */
  readonly machine: { readonly flops: number; readonly bandwidth: number };
}

export function timesOf(samples: readonly number[]): Times {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
  return { median: at(0.5), low: at(0.25) };
}

/** The environment of peers: at their best setting, with as many threads as we have. */
function peerEnvironment(threads: number): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _type, OPENBLAS_L2_SIZE: _size, ...env } = process.env;
  const count = String(threads);
  return { ...env, OMP_WAIT_POLICY: 'PASSIVE', OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count };
}

function start(name: PeerName, threads: number, places: Places): Contestant | undefined {
  const env = peerEnvironment(threads);
  if (name === 'numpy' || name === 'torch') {
    const python = places.python[name];
    return python === undefined
      ? undefined
      : new Contestant([python.command, '-B', path.join(places.bench, 'peers', 'peer.py'), name], {
          ...env,
          ...python.kernels,
        });
  }
  if (places.packages === undefined) return undefined;
  return new Contestant([process.execPath, path.join(places.dist, 'contestants', `${name}.js`)], env);
}

const slug = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '_');

async function buildOurs({ model, dims }: Workload, places: Places, fixed: boolean): Promise<string> {
  const suffix = fixed ? `-${Object.values(dims).join('-')}` : '';
  const outDir = path.join(places.work, 'modules', `${model}${suffix}`);
  await compileModule(path.join(places.bench, 'models', `${model}.td`), { outDir, dims: fixed ? dims : {} });
  return outDir;
}

interface Entrant {
  readonly label: string;
  readonly contestant: Contestant;
  readonly answer: Answer;
  readonly samples: number[];
}

async function loadEntrant(
  label: string,
  contestant: Contestant,
  workload: Workload,
  threads: number,
  files: Readonly<Record<string, string>>,
): Promise<Entrant> {
  return { label, contestant, answer: await contestant.ask({ do: 'load', workload, threads, files }), samples: [] };
}

/** Starts everybody who takes part; what cannot is there with its error. */
async function enter(workload: Workload, threads: number, places: Places): Promise<Entrant[]> {
  const ours = path.join(places.dist, 'contestants', 'ours.js');
  const entrants: Entrant[] = [];
  for (const fixed of workload.curve === true ? [false] : [false, true]) {
    const module = await buildOurs(workload, places, fixed);
    const contestant = new Contestant([process.execPath, ours], process.env);
    entrants.push(await loadEntrant(fixed ? 'fixed' : 'ours', contestant, workload, threads, { module }));
  }
  const onnx = path.join(places.work, 'onnx', `${slug(workload.name)}.onnx`);
  mkdirSync(path.dirname(onnx), { recursive: true });
  for (const peer of workload.peers) {
    const contestant = start(peer, threads, places);
    if (contestant === undefined) continue;
    const exports = peer === 'torch' && workload.peers.includes('onnxruntime');
    const files = { onnx, peers: places.packages ?? '', ...(exports ? { export: onnx } : {}) };
    entrants.push(await loadEntrant(peer, contestant, workload, threads, files));
  }
  return entrants;
}

/** Runs a workload; `threads` is the number for everybody. */
export async function run(workload: Workload, threads: number, effort: Effort, places: Places): Promise<Outcome> {
  const entrants = await enter(workload, threads, places);
  const probe = new Contestant([places.probe], process.env);
  const able = entrants.filter(({ answer }) => answer.error === undefined);
  const found: { flops: number; bandwidth: number }[] = [];
  try {
    for (let round = 0; round < effort.rounds; round++) {
      found.push(await probe.measure(threads, workload.bytes, effort.milliseconds / 5));
      for (const { contestant, samples } of able) {
        const { milliseconds = [] } = await contestant.ask({
          do: 'time',
          milliseconds: effort.milliseconds,
          clock: effort.clock,
        });
        samples.push(...milliseconds);
      }
    }
  } finally {
    probe.end();
    for (const { contestant } of entrants) contestant.end();
  }
  const of = (label: string): Entrant | undefined => entrants.find((entrant) => entrant.label === label);
  const ours = of('ours');
  if (ours === undefined || ours.samples.length === 0) {
    throw new Error(`${workload.name}: tdsl itself failed: ${ours?.answer.error ?? 'no samples'}`);
  }
  const fixed = of('fixed');
  const flops = timesOf(found.map((each) => each.flops)).median;
  const bandwidth = timesOf(found.map((each) => each.bandwidth)).median;
  return {
    workload,
    threads,
    ours: timesOf(ours.samples),
    fixed: fixed === undefined || fixed.samples.length === 0 ? undefined : timesOf(fixed.samples),
    peers: workload.peers.flatMap((name) => {
      const peer = of(name);
      if (peer === undefined) return [{ name, version: '', error: 'not installed' }];
      const { version = '', error } = peer.answer;
      return [error === undefined ? { name, version, times: timesOf(peer.samples) } : { name, version, error }];
    }),
    floorMilliseconds: 1e3 * Math.max(workload.flops / flops, workload.bytes === 0 ? 0 : workload.bytes / bandwidth),
    machine: { flops, bandwidth },
  };
}

/** The workloads of the suites that are named, or all. */
export function select(suites: readonly string[], quick: boolean): readonly Workload[] {
  const named = [
    ...workloads.filter(({ suite }) => suites.length === 0 || suites.includes(suite)),
    ...curves.filter(({ suite }) => suites.includes(suite)),
  ];
  return quick ? named.filter(({ slow }) => slow !== true) : named;
}
