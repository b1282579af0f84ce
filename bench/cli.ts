// `npm run bench -- [SUITE…] [--threads N] [--quick] [--json FILE]`: times workloads side by side with the peers that are installed.

import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { packageRoot, packageVersion } from '../cli/package.js';
import { costs } from './costs.js';
import { buildMachineProbe, findPython, installPackages } from './peers/install.js';
import { line, markdown, picture, type Row, rowOfCost, rowsOf } from './report.js';
import { type Effort, type Outcome, type Places, run, select, timesOf } from './run.js';
import { curves, workloads } from './workloads.js';

interface Options {
  readonly threads: readonly number[];
  readonly quick?: boolean;
  readonly json?: string;
  readonly record?: boolean;
  readonly clock: string;
}

function threadCounts(text: string): readonly number[] {
  const counts = text.split(',').map(Number);
  if (counts.every((count) => Number.isInteger(count) && count > 0)) return counts;
  throw new Error(`--threads takes numbers of threads, got '${text}'`);
}

function prepare(): Places {
  const bench = path.join(packageRoot, 'bench');
  const work = path.join(packageRoot, 'build', 'bench');
  const places = {
    bench,
    work,
    dist: path.join(packageRoot, 'dist', 'bench'),
    probe: buildMachineProbe(path.join(bench, 'peers', 'machine.c'), work),
    packages: installPackages(path.join(work, 'peers')),
    python: Object.fromEntries(
      (['torch', 'numpy'] as const).flatMap((module) => {
        const python = findPython(module);
        if (python === undefined) console.log(`no Python imports ${module}: its rows are missing`);
        return python === undefined ? [] : [[module, python]];
      }),
    ),
  };
  return places;
}

/** What the figures belong to. */
function machineText(outcomes: readonly Outcome[], { clock }: Effort): string {
  const cpu = os.cpus()[0]?.model ?? 'unknown';
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  const vectors = flags.includes('avx512f') ? 'AVX-512' : flags.includes('avx2') ? 'AVX2' : 'SSE';
  const versions = new Set(
    outcomes.flatMap(({ peers }) =>
      peers.filter(({ times }) => times).map(({ name, version }) => `${name} ${version}`),
    ),
  );
  const peaks = outcomes.filter(({ threads }) => threads === 1).map(({ machine }) => machine.flops / 1e9);
  const peak = peaks.length === 0 ? '' : `, ${Math.max(...peaks).toFixed(0)} GFLOP/s a core`;
  const programs = [`Node ${process.versions.node}`, `tdsl ${packageVersion}`, ...versions];
  return `${cpu}, ${os.cpus().length} cores, ${vectors}${peak}; ${programs.join(', ')}; ${new Date().toISOString().slice(0, 10)}${clock === 'cpu' ? '; processor time, because the machine did other work' : ''}`;
}

/** Replaces what stands between two comments of a Markdown file. */
function replaceBetween(file: string, name: string, text: string): void {
  const old = readFileSync(file, 'utf8');
  const pattern = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end of ${name} -->)`);
  if (!pattern.test(old)) throw new Error(`${file} has no place for ${name}`);
  writeFileSync(
    file,
    old.replace(pattern, (_all, open: string, close: string) => `${open}${text}\n${close}`),
  );
}

function record(outcomes: readonly Outcome[], rows: readonly Row[], effort: Effort, places: Places): void {
  const machine = machineText(outcomes, effort);
  const file = (name: string): string => path.join(places.bench, name);
  writeFileSync(file('results.json'), `${JSON.stringify({ machine, rows }, null, 1)}\n`);
  writeFileSync(file('ratios.svg'), picture(rows));
  replaceBetween(file('README.md'), 'results', `${machine}\n\n${markdown(rows)}`);
}

async function bench(suites: readonly string[], options: Options): Promise<void> {
  const known = new Set([...workloads, ...costs, ...curves].map(({ suite }) => suite));
  const unknown = suites.find((suite) => !known.has(suite));
  if (unknown !== undefined) throw new Error(`there is no suite ${unknown}; there are ${[...known].join(', ')}`);
  const places = prepare();
  const { clock } = options;
  if (clock !== 'wall' && clock !== 'cpu') throw new Error(`--clock takes wall or cpu, got '${clock}'`);
  const effort: Effort =
    options.quick === true ? { rounds: 3, milliseconds: 60, clock } : { rounds: 9, milliseconds: 150, clock };
  const outcomes: Outcome[] = [];
  const rows: Row[] = [];
  console.log(line());
  for (const workload of select(suites, options.quick === true)) {
    for (const threads of options.threads) {
      const outcome = await run(workload, threads, effort, places);
      const found = rowsOf(outcome);
      for (const row of found) console.log(line(row));
      outcomes.push(outcome);
      rows.push(...found);
      if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 1)}\n`);
    }
  }
  for (const cost of costs.filter(({ suite }) => suites.length === 0 || suites.includes(suite))) {
    const row = rowOfCost(
      cost,
      cost.suite === 'call' ? 1 : os.availableParallelism(),
      timesOf(await cost.measure(places, effort)),
    );
    console.log(line(row));
    rows.push(row);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 1)}\n`);
  }
  if (options.record === true) record(outcomes, rows, effort, places);
}

const command = new Command('bench')
  .argument('[suite...]', 'matmul, memory, mlp, lenet, vgg, gpt, lstm, resnet, call, compile; or curves')
  .option('--threads <n>', 'threads of all contestants; several numbers with commas', threadCounts, [1])
  .option('--quick', 'fewer and shorter rounds, without the slowest workloads')
  .option('--json <file>', 'write the rows as JSON')
  .option(
    '--clock <clock>',
    'wall, or cpu: the processor time, to compare on a machine that does other work too',
    'wall',
  )
  .option('--record', 'write bench/README.md, bench/results.json and bench/ratios.svg')
  .action(bench);
await command.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
