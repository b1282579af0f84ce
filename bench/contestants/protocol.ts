// Contestants are child processes that time what they are told, one at a time, so that all of them run in turn under the same
// conditions. They speak lines of JSON: a request on standard input, one answer on standard output.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Workload } from '../workloads.js';

/** Wall time, or the time of processors that the process used: on a machine that does other work too, only the latter can be compared. */
export type Clock = 'wall' | 'cpu';

export type Request =
  | {
      readonly do: 'load';
      readonly workload: Workload;
      readonly threads: number;
      readonly files: Readonly<Record<string, string>>;
    }
  | { readonly do: 'time'; readonly milliseconds: number; readonly clock: Clock };

/** To `load`: ready, or why not. To `time`: the milliseconds of one call, for each sample. */
export interface Answer {
  readonly error?: string;
  readonly milliseconds?: readonly number[];
  readonly version?: string;
  /** Of the probe: FLOP/s and bytes per second. */
  readonly flops?: number;
  readonly bandwidth?: number;
}

export class Contestant {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: ((answer: Answer) => void)[] = [];
  #complaint = '';
  #gone = false;

  constructor(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv) {
    const [program, ...args] = command;
    this.#child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.on('data', (chunk) => {
      this.#complaint = `${this.#complaint}${chunk}`.slice(-2000);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.#waiting.shift()?.(JSON.parse(line) as Answer);
    });
    const leave = (reason: string): void => {
      this.#gone = true;
      for (const answer of this.#waiting.splice(0))
        answer({ error: `${reason} ${this.#complaint.trim().split('\n').at(-1) ?? ''}` });
    };
    this.#child.on('error', (error) => leave(error.message));
    this.#child.on('close', () => leave('ended:'));
    this.#child.stdin.on('error', () => undefined);
  }

  ask(request: Request): Promise<Answer> {
    return this.#exchange(JSON.stringify(request));
  }

  /** Asks the probe of the machine (peers/machine.c). */
  async measure(threads: number, bytes: number, milliseconds: number): Promise<{ flops: number; bandwidth: number }> {
    const { flops = 0, bandwidth = 0, error } = await this.#exchange(`${threads} ${bytes} ${milliseconds}`);
    if (error !== undefined) throw new Error(`the probe of the machine: ${error}`);
    return { flops, bandwidth };
  }

  /** Asks the program that calls from C (peers/call.c): the milliseconds of one call. */
  async time(clock: Clock): Promise<number> {
    const { milliseconds = [], error } = await this.#exchange(clock);
    if (error !== undefined) throw new Error(`calls from C: ${error}`);
    return milliseconds[0] ?? Number.NaN;
  }

  #exchange(line: string): Promise<Answer> {
    if (this.#gone) return Promise.resolve({ error: `ended: ${this.#complaint.trim().split('\n').at(-1) ?? ''}` });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin.write(`${line}\n`);
    });
  }

  end(): void {
    this.#child.stdin.end();
  }
}

/** What a contestant written in JavaScript provides. */
export interface Runner {
  /** Returns a function that does the work once. */
  load(workload: Workload, threads: number, files: Readonly<Record<string, string>>): Promise<() => unknown>;
  version(): string;
}

/** Samples last at least this long, so that reading the clock does not count. */
const SAMPLE_MILLISECONDS = 0.2;

const clocks: Readonly<Record<Clock, () => number>> = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e3;
  },
};

async function timeFor(work: () => unknown, milliseconds: number, clock: Clock): Promise<number[]> {
  const now = clocks[clock];
  // Awaiting costs a turn of the event loop, so only what is asynchronous pays for it.
  const waits = work() instanceof Promise;
  const sample = async (count: number): Promise<number> => {
    const start = now();
    if (waits) for (let i = 0; i < count; i++) await work();
    else for (let i = 0; i < count; i++) work();
    return now() - start;
  };
  const once = await sample(1);
  const count = Math.max(1, Math.ceil(SAMPLE_MILLISECONDS / Math.max(once, 1e-4)));
  const samples: number[] = [];
  const end = performance.now() + milliseconds;
  do samples.push((await sample(count)) / count);
  while (performance.now() < end || samples.length < 2);
  return samples;
}

/** Answers requests until standard input ends. */
export async function serve(runner: Runner): Promise<void> {
  let work: (() => unknown) | undefined;
  const answer = async (request: Request): Promise<Answer> => {
    if (request.do === 'load') {
      work = undefined;
      work = await runner.load(request.workload, request.threads, request.files);
      await work();
      return { version: runner.version() };
    }
    return work === undefined
      ? { error: 'nothing is loaded' }
      : { milliseconds: await timeFor(work, request.milliseconds, request.clock) };
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await answer(JSON.parse(line) as Request).catch((error: unknown) => ({
      error: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
    }));
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}
