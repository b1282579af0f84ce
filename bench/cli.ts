// `npm run bench -- [SUITE…] [--threads N] [--quick] [--json FILE]`: times workloads side by side with the peers that are installed.

import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { packageRoot } from '../cli/package.js';
import { costs } from './costs.js';
import { buildMachineProbe, findPython, installPackages } from './peers/install.js';
import { fastestKernels } from './peers/openblas.js';
import { record } from './record.js';
import { line, type Row, rowOfCost, rowsOf } from './report.js';
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
        const command = findPython(module);
        if (command === undefined) console.log(`no Python imports ${module}: its rows are missing`);
        return command === undefined ? [] : [[module, { command, kernels: fastestKernels(command, module) }]];
      }),
    ),
  };
  return places;
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
  if (options.record === true) record(outcomes, rows, clock, places.bench);
}

const command = new Command('bench')
  .argument('[suite...]', 'matmul, memory, mlp, lenet, vgg, gpt, lstm, resnet, call, compile; or curves')
  .option('--threads <n>', 'threads of all contestants; several numbers with commas', threadCounts, [1, 2])
  .option('--quick', 'fewer and shorter rounds, without the slowest workloads')
  .option('--json <file>', 'write the rows as JSON')
  .option(
    '--clock <clock>',
    'wall, or cpu: the processor time, to compare on a machine that does other work too',
    'wall',
  )
  .option(
    '--record',
    'put the rows beside those of other suites of this machine in bench/results, and show them in bench/README.md',
  )
  .action(bench);
await command.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
