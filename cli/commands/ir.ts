// `tdsl ir`: the graph after any pass, as text that reads back, JSON, Graphviz dot or a page.

import type { Command } from 'commander';
import { dotProgram, jsonProgram, printProgram } from '../../compiler/ir/print.js';
import { pipelineFor, runPipeline } from '../../compiler/pipeline.js';
import type { Program } from '../../compiler/program.js';
import { usageError, userError } from '../errors.js';
import { loadProgram } from '../frontend.js';
import { parseDims, parsePrecision } from '../options.js';
import { restrictToFunction } from '../select.js';

interface Options {
  readonly fn?: string;
  readonly after?: string;
  readonly all?: boolean;
  readonly format: string;
  readonly precision?: string;
  readonly dim: readonly string[];
}

const escapeHtml = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

const formats: Readonly<Record<string, (stage: string, program: Program) => string>> = {
  text: (_, program) => printProgram(program),
  json: (_, program) => `${JSON.stringify(jsonProgram(program), null, 2)}\n`,
  dot: (_, program) => dotProgram(program),
  html: (stage, program) => `<h2>${escapeHtml(stage)}</h2>\n<pre>${escapeHtml(printProgram(program))}</pre>\n`,
};

function ir(file: string, options: Options): void {
  const format = formats[options.format];
  if (format === undefined)
    throw usageError(`--format takes ${Object.keys(formats).join(', ')}, got '${options.format}'`);
  const { precision } = parsePrecision(options.precision, { isForGpus: true, wanted: 'GPUs', found: '' });
  const stages = new Map<string, Program>();
  const start = loadProgram(file, {
    dims: parseDims(options.dim),
    ...(options.fn === undefined ? {} : { entries: [options.fn] }),
  });
  const wanted = options.after ?? (options.all === true ? undefined : 'lower');
  stages.set('lower', start);
  if (wanted !== 'lower')
    runPipeline(start, pipelineFor(precision), { onStage: (name, program) => stages.set(name, program) });
  const names = wanted === undefined ? [...stages.keys()] : [wanted];
  for (const name of names) {
    const program = stages.get(name);
    if (program === undefined)
      throw userError(`there is no stage '${name}'; the stages are ${[...stages.keys()].join(', ')}`);
    const shown = options.fn === undefined ? program : restrictToFunction(program, options.fn);
    if (names.length > 1 && options.format === 'text') process.stdout.write(`# after ${name}\n`);
    process.stdout.write(format(name, shown));
  }
}

export function addIr(program: Command): void {
  program
    .command('ir')
    .description('print the intermediate representation')
    .argument('<file>', 'a program (.td) or text IR (.tdir)')
    .option('--fn <name>', 'only this function and what it calls')
    .option('--after <pass>', 'the stage to show (default: as lowered from the source)')
    .option('--all', 'every stage')
    .option('--precision <name>', 'what is compiled for GPUs with products in f32 (default), tf32 or bf16')
    .option('--format <format>', 'text, json, dot or html', 'text')
    .option(
      '--dim <name=size>',
      'fix a dimension (repeatable)',
      (value: string, all: readonly string[]) => [...all, value],
      [],
    )
    .action(ir);
}
