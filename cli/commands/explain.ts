// `tdsl explain`: walks the derivative of a function, as text, Markdown or a page.

import type { Command } from 'commander';
import {
  ExplainError,
  type ExplainedFunction,
  type ExplainedLine,
  type ExplainedStep,
  type Explanation,
  explain,
} from '../../compiler/explain/explain.js';
import { usageError, userError } from '../errors.js';
import { loadProgram } from '../frontend.js';
import { parseDims } from '../options.js';

interface Options {
  readonly fn: string;
  readonly format: string;
  readonly dim: readonly string[];
}

const intro = (name: string, { added }: Explanation): string =>
  added
    ? `The gradient of ${name}. Each backward line has the forward line that it belongs to, and the rule that it comes from.`
    : `${name} takes a derivative. Each backward line has the forward line that it belongs to, and the rule that it comes from.`;

const origin = ({ place, source }: ExplainedLine): string => [place, source].filter(Boolean).join('  ');

const numberOf = ({ number }: ExplainedLine): string => String(number).padStart(4);

/** The rule and its reason; an equation names the rule itself. */
const ruleText = ({ rule, why }: ExplainedStep): string =>
  why === '' ? rule : why.startsWith(`${rule}(`) ? why : `${rule}: ${why}`;

function textStep(step: ExplainedStep): string {
  const { of } = step;
  return [
    `${numberOf(step)}  ${step.text}`,
    of === undefined ? `        of ${origin(step)}` : `        of ${of.number}  ${of.text}   ${origin(of)}`,
    `        ${ruleText(step)}`,
  ].join('\n');
}

function textFunction({ signature, forward, backward, after, results }: ExplainedFunction): string {
  const width = Math.min(72, Math.max(0, ...forward.map(({ text }) => text.length)));
  const row = (line: ExplainedLine) => `${numberOf(line)}  ${line.text.padEnd(width)}   ${origin(line)}`.trimEnd();
  return [
    signature,
    ...(forward.length === 0 ? [] : ['', 'forward', ...forward.map(row)]),
    '',
    'backward',
    ...backward.map(textStep),
    ...(after.length === 0 ? [] : ['', 'then', ...after.map(row)]),
    '',
    `gives ${results.join(', ')}`,
  ].join('\n');
}

const text = (name: string, explanation: Explanation): string =>
  `${[intro(name, explanation), ...explanation.functions.map(textFunction)].join('\n\n')}\n`;

const code = (content: string): string => `\`${content.replaceAll('|', '\\|')}\``;

function markdownFunction({ signature, forward, backward, after, results }: ExplainedFunction): string {
  const table = (lines: readonly ExplainedLine[]) => [
    '| | | |',
    '|---|---|---|',
    ...lines.map((line) => `| ${line.number} | ${code(line.text)} | ${origin(line) && code(origin(line))} |`),
  ];
  return [
    `## ${code(signature)}`,
    '',
    ...(forward.length === 0 ? [] : ['Forward:', '', ...table(forward), '']),
    'Backward:',
    '',
    '| | | of | rule |',
    '|---|---|---|---|',
    ...backward.map(
      (step) =>
        `| ${step.number} | ${code(step.text)} | ${step.of === undefined ? code(origin(step)) : `${step.of.number} ${code(step.of.text)}`} | ${ruleText(step).replaceAll('|', '\\|')} |`,
    ),
    ...(after.length === 0 ? [] : ['', 'Then:', '', ...table(after)]),
    '',
    `Gives ${results.map(code).join(', ')}.`,
  ].join('\n');
}

const markdown = (name: string, explanation: Explanation): string =>
  `${[`# ${name}`, intro(name, explanation), ...explanation.functions.map(markdownFunction)].join('\n\n')}\n`;

const escapeHtml = (content: string): string =>
  content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

const style = `body{font:15px/1.5 sans-serif;margin:2em auto;max-width:70em;color:#222}table{border-collapse:collapse;width:100%}
td{border-top:1px solid #ddd;padding:.3em .6em;vertical-align:top}code{font:13px monospace}a{color:#0072b2;text-decoration:none}
tr:target{background:#fff3c4}small{color:#666}`;

function htmlFunction({ signature, forward, backward, after, results }: ExplainedFunction, index: number): string {
  const id = (line: ExplainedLine) => `f${index}-${line.number}`;
  const cells = (line: ExplainedLine) =>
    `<td>${line.number}</td><td><code>${escapeHtml(line.text)}</code><br><small>${escapeHtml(origin(line))}</small></td>`;
  const rows = (lines: readonly ExplainedLine[]) =>
    `<table>${lines.map((line) => `<tr id="${id(line)}">${cells(line)}</tr>`).join('\n')}</table>`;
  const steps = backward.map((step) => {
    const of = step.of && `<a href="#${id(step.of)}">${step.of.number} <code>${escapeHtml(step.of.text)}</code></a>`;
    return `<tr id="${id(step)}">${cells(step)}<td>${of ?? ''}</td><td>${escapeHtml(ruleText(step))}</td></tr>`;
  });
  return [
    `<h2><code>${escapeHtml(signature)}</code></h2>`,
    ...(forward.length === 0 ? [] : [`<h3>Forward</h3>${rows(forward)}`]),
    `<h3>Backward</h3><table>${steps.join('\n')}</table>`,
    ...(after.length === 0 ? [] : [`<h3>Then</h3>${rows(after)}`]),
    `<p>Gives <code>${escapeHtml(results.join(', '))}</code></p>`,
  ].join('\n');
}

const html = (name: string, explanation: Explanation): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escapeHtml(name)}</title><style>${style}</style>
<h1>${escapeHtml(name)}</h1>
<p>${escapeHtml(intro(name, explanation))}</p>
${explanation.functions.map(htmlFunction).join('\n')}
</html>
`;

const formats: Readonly<Record<string, (name: string, explanation: Explanation) => string>> = {
  text,
  md: markdown,
  html,
};

function run(file: string, { fn, format, dim }: Options): void {
  const write = formats[format];
  if (write === undefined) throw usageError(`--format takes ${Object.keys(formats).join(', ')}, got '${format}'`);
  const program = loadProgram(file, { dims: parseDims(dim), entries: [fn] });
  try {
    process.stdout.write(write(fn, explain(program, fn)));
  } catch (error) {
    if (error instanceof ExplainError) throw userError(`${file}: ${error.message}`);
    throw error;
  }
}

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('walk the derivative of a function: each backward line, its forward line and its rule')
    .argument('<file>', 'a program (.td) or text IR (.tdir)')
    .requiredOption(
      '--fn <name>',
      'the function: one that takes a derivative, or one whose gradient is to be explained',
    )
    .option('--format <format>', 'text, md or html', 'text')
    .option(
      '--dim <name=size>',
      'fix a dimension (repeatable)',
      (value: string, all: readonly string[]) => [...all, value],
      [],
    )
    .action(run);
}
