// Walks the library: every public function occurs in a case with values of a reference, and in one with gradients or in the list of those
// that have none, with the reason; and the reference of all operations is up to date.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../cli/package.js';
import { declarations, operationsMarkdown } from '../../compiler/reference.js';
import { readGroups } from '../conformance/cases.js';

const modules = readdirSync(path.join(packageRoot, 'std'))
  .filter((file) => file.endsWith('.td'))
  .sort()
  .map((file) => ({ name: file.slice(0, -3), text: readFileSync(path.join(packageRoot, 'std', file), 'utf8') }));

/** Modules that the walk leaves out, and where their functions are tested. */
const elsewhere: Readonly<Record<string, string>> = {
  sizes: 'arithmetic on sizes when compiling: every call of the library runs it',
  init: 'initialisers: statistics and bounds in tests/std/random.test.ts and the reference cases of group init',
  random: 'draws: distributions in tests/std/random.test.ts',
  schedule: 'models: traces in tests/std/reference/scheduling.json',
  optim: 'models: traces in tests/std/reference/stepping.json',
  solve: 'cases and residuals of linear algebra in tests/std/reference',
  decompose: 'cases and residuals of linear algebra in tests/std/reference',
  linalg: 'cases and residuals of linear algebra in tests/std/reference',
};

/** Functions without a derivative, and why. */
const reasons: Readonly<Record<string, string>> = {
  'isinf isfinite isclose allclose equal': 'the result is of bools',
  'one_hot argsort count_nonzero nonzero': 'the result is of integers',
  'zeros ones empty full_like zeros_like ones_like new_ones eye linspace logspace constant':
    'they depend on no tensor of floats',
  'unique bincount': 'PyTorch differentiates neither: values of a set, and counts',
  histc: 'counts are constant almost everywhere',
  'detach stop_gradient': 'they are there to have none',
};
const undifferentiated = new Set(Object.keys(reasons).flatMap((names) => names.split(' ')));

const cases = ['reference/operations', 'std/reference']
  .flatMap((folder) => readGroups(path.join(packageRoot, 'tests', ...folder.split('/'))))
  .flatMap((group) => group.cases)
  .filter(({ expr }) => expr !== undefined);
const called = (text: string): readonly string[] => [...text.matchAll(/\b([a-z]\w*)\(/g)].map(([, name]) => name ?? '');
const valued = new Set(cases.flatMap(({ expr = '' }) => called(expr)));
const differentiated = new Set(
  cases
    .filter(({ grads = {} }) => Object.values(grads).some((grad) => grad !== null))
    .flatMap(({ expr = '' }) => called(expr)),
);
const functions = modules
  .filter(({ name }) => elsewhere[name] === undefined)
  .flatMap((module) => declarations(module))
  .filter((item) => item.kind === 'Fn')
  .map(({ name }) => name.name);

/** Helpers of the library that users may call, which the functions that they serve test. */
const helpers = new Set(['squeeze_axes', 'safe_root', 'adaptive_avg_pool', 'adaptive_max_pool', 'widened']);

const walk = suite('every function of the library');

walk('has a case with values', () => {
  assert.equal(
    functions.filter((name) => !valued.has(name) && !helpers.has(name)),
    [],
  );
});

walk('has a case with gradients, or a reason for none', () => {
  assert.equal(
    functions.filter((name) => !differentiated.has(name) && !undifferentiated.has(name) && !helpers.has(name)),
    [],
  );
});

walk('is in docs/operations.md as it is declared', () => {
  assert.is(
    readFileSync(path.join(packageRoot, 'docs', 'operations.md'), 'utf8'),
    operationsMarkdown(modules),
    'run `node scripts/write-operations.js` after the build',
  );
});

walk.run();
