// docs/from-pytorch.md is true: its lines compile in the context that it states, its programs check, and its script runs.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../cli/host.js';
import { compileModule } from '../../cli/module.js';
import { packageRoot } from '../../cli/package.js';
import { renderDiagnostics } from '../../compiler/diagnostics/report.js';
import { compileExpression, type ExpressionInput, Workspace } from '../../compiler/index.js';
import { dimConst } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import { diagnosticsOf } from '../support/program.js';

const page = readFileSync(path.join(packageRoot, 'docs', 'from-pytorch.md'), 'utf8');

/** The tables' right cells by section; in a cell, code in backticks separated by commas stands for several lines. */
function cells(): readonly { readonly section: string; readonly code: string }[] {
  let section = '';
  return page.split('\n').flatMap((line) => {
    section = /^## (.*)/.exec(line)?.[1] ?? section;
    const [, right] = /^\| (?:[^|]|\\\|)*\| ((?:[^|]|\\\|)*) \|$/.exec(line) ?? [];
    return [...(right ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => ({ section, code }));
  });
}

const input = (name: string, dtype: DType, ...shape: readonly number[]): ExpressionInput => ({
  name,
  type: { dtype, shape: shape.map(dimConst) },
});
const inputs = [
  input('x', 'f32', 3, 4),
  input('y', 'f32', 3, 4),
  input('v', 'f32', 4),
  input('w', 'f32', 5, 4),
  input('n', 'f32', 4, 4),
  input('i', 'i64', 3),
  input('m', 'bool', 3, 4),
  input('img', 'f32', 2, 3, 28, 28),
  input('z', 'f32', 3, 10),
  input('labels', 'i64', 3),
];

/** The sections whose right cells are expressions of the language. */
const expressions = [
  'Creating tensors',
  'Indexing',
  'Shapes',
  'Arithmetic, products, reductions',
  'Autograd',
  'Activations and losses',
  'Shapes that depend on data',
];

const test = suite('from PyTorch');
const workspace = new Workspace(nodeHost());

for (const section of expressions) {
  test(`${section}: every line compiles`, () => {
    const lines = cells().filter((cell) => cell.section === section && !/^(grad$|x\[mask\])/.test(cell.code));
    assert.ok(lines.length >= 5, `found ${lines.length} lines`);
    for (const { code } of lines) {
      const { diagnostics } = compileExpression(code, inputs, workspace);
      assert.is(renderDiagnostics(diagnostics), '', code);
    }
  });
}

/** The fenced blocks of a language, with the words behind its name. */
const blocks = (language: string): readonly { readonly info: string; readonly text: string }[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}( .*)?\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, info = '', text = '']) => ({
      info: info.trim(),
      text,
    }),
  );

test('the programs check', () => {
  const programs = blocks('td');
  assert.ok(programs.length >= 5);
  for (const { text } of programs) assert.is(renderDiagnostics(diagnosticsOf(text)), '', text);
});

test('the script runs, and the lines of the host pass the type checker', async () => {
  const folder = path.join(packageRoot, 'examples', 'course', 'build', 'from-pytorch');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [program] = blocks('td').filter(({ info }) => info === 'main');
  const [script] = blocks('ts').filter(({ info }) => info === 'main');
  assert.ok(program !== undefined && script !== undefined);
  writeFileSync(path.join(folder, 'main.td'), program.text);
  await compileModule(path.join(folder, 'main.td'), { outDir: path.join(folder, 'build', 'main'), mode: 'dev' });

  const lines = cells().filter(({ section, code }) => section === 'The host' && !/^(root|npx)/.test(code));
  assert.ok(lines.length > 30);
  const names = [
    'kFolds',
    'linePlot',
    'loadCsv',
    'loadNpy',
    'randomSplit',
    'saveNpy',
    'saveSafetensors',
    'setPrintOptions',
  ];
  const training = ['kFolds', 'linePlot', 'randomSplit'];
  const imports = [
    `import { ${names.filter((name) => !training.includes(name)).join(', ')} } from 'tdsl';`,
    `import { ${training.join(', ')} } from 'tdsl/train';`,
  ];
  const checked = `${imports.join('\n')}\n${script.text}\n${lines.map(({ code }) => `void (${code});`).join('\n')}\n`;
  writeFileSync(path.join(folder, 'lines.ts'), checked);
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', include: ['lines.ts'], exclude: [] }),
  );
  const tsc = path.join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
  assert.is(types.stdout, '');

  writeFileSync(path.join(folder, 'main.mjs'), script.text);
  const run = spawnSync(process.execPath, [path.join(folder, 'main.mjs')], { encoding: 'utf8' });
  assert.is(run.status, 0, run.stderr);
  assert.match(run.stdout, /^accuracy 0\.\d+/);
});

test.run();
