// What the host functions of the reference cases ask the compiler: the state of models, the types of results, values.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type Compiled, compile, compileExpression, type Host } from 'tdsl/compiler';
import { interpret } from '../../cli/backends.js';
import { numbersOf } from '../../compiler/ir/evaluate/tensor.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';
import type { StateLeaf } from '../../compiler/program.js';

const library = path.join(path.dirname(createRequire(import.meta.url).resolve('tdsl/package.json')), 'std');

/** A host whose only file of its own is `model.td`. */
const hostOf = (text: string): Host => ({
  readFile: (file) => (file === 'model.td' ? text : readFileSync(file, 'utf8')),
  resolve: (_, name) => (name.startsWith('std.') ? path.join(library, `${name.slice('std.'.length)}.td`) : undefined),
  standardModules: () => readdirSync(library).map((file) => file.replace(/\.td$/, '')),
});

function programOf({ program, diagnostics }: Compiled) {
  if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return program;
}

/** The state of the model that a text declares as `Net`, with paths from the model on. */
export function stateOf(text: string): readonly StateLeaf[] {
  const program = programOf(compile('model.td', hostOf(`${text}\nexport fn use(net: Net) -> f32 = 0.0\n`)));
  return program.state.map((leaf) => ({ ...leaf, path: leaf.path.replace(/^net\./, '') }));
}

/** `[name, shape]` of each parameter, as PyTorch's `named_parameters` gives them. */
export const namedParameters = (text: string): readonly (readonly [string, readonly number[]])[] =>
  stateOf(text)
    .filter(({ role }) => role === 'param')
    .map(({ path: name, shape }) => [name.replace(/^layers\./, ''), shape]);

/** The results of an expression, as lists of numbers, drawn from a seed. */
export function evaluate(expr: string, seed = 0): readonly (readonly number[])[] {
  const program = runPipeline(programOf(compileExpression(expr, [], hostOf(''))), pipelines.reference);
  const instance = interpret(program);
  instance.seed(seed);
  return instance.run('main', []).map(numbersOf);
}
