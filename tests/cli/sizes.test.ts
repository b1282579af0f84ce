// Conditions on run-time sizes that no compile decides: `tdsl check` lists them, and calls that do not meet them are told the place that needs
// them and the sizes, by every way to run a program.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileModule, importModule, interpret } from '../../cli/api.js';
import type { TdslError } from '../../runtime/errors.js';
import type { Method } from '../../runtime/method.js';
import type { Session } from '../../runtime/session.js';
import { Tensor } from '../../runtime/tensor.js';

const tdsl = path.resolve('bin', 'tdsl.js');
const folder = mkdtempSync(path.join(os.tmpdir(), 'tdsl-sizes-'));
const file = path.join(folder, 'sizes.td');

const program = `dim B, C
export fn tail(x: f32[B], k: dim) -> f32[B] = x[k:]
export fn add(x: f32[B, 4], y: f32[C, 4]) -> f32[C, 4] =
  x + y
export fn first(x: f32[B], k: dim) -> f32[k] = narrow(x, 0, 0, k)
export fn twice(x: f32[B]) -> f32[B] = 2 * x
`;

const notes = `sizes.td: ok
  note: tail needs max(0, B - k) = B, which its calls check: the result of \`tail\` has the shape that is declared (sizes.td:2:11)
  note: add needs B = C, which its calls check: operands that meet element by element have equal sizes (sizes.td:4:3)
  note: first needs B - k ≥ 0, which its calls check: a narrowed stretch lies inside (sizes.td:5:48)
`;

/** The arguments of calls that fail, and what is said. */
const calls: readonly (readonly [fn: string, args: readonly unknown[], message: string])[] = [
  [
    'tail',
    [[1, 2, 3, 4, 5], 2],
    'tail: the result of `tail` has the shape that is declared (sizes.td:2:11): max(0, B - k) = B is needed, but max(0, B - k) is 3 and B is 5, for B = 5, k = 2',
  ],
  [
    'first',
    [[1, 2, 3], 5],
    'first: a narrowed stretch lies inside (sizes.td:5:48): B - k ≥ 0 is needed, but B - k is -2, for B = 3, k = 5',
  ],
  [
    'add',
    [
      [[1, 2, 3, 4]],
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
    ],
    '; B = C is needed: operands that meet element by element have equal sizes (sizes.td:4:3)',
  ],
];

/** The message without the folder of the program. */
const withoutFolder = (text: string): string => text.replaceAll(`${folder}${path.sep}`, '');

function run(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; stderr: string } {
  return spawnSync(process.execPath, [tdsl, ...args], { cwd: folder, encoding: 'utf8' });
}

test.before(() => writeFileSync(file, program));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('check lists what calls check, and nothing else', () => {
  const { status, stdout, stderr } = run('check', 'sizes.td');
  assert.is(status, 0, stderr);
  assert.is(stdout, notes);
});

test('run tells the place and the sizes', () => {
  for (const [fn, args, message] of calls) {
    writeFileSync(path.join(folder, 'args.json'), JSON.stringify(args));
    for (const backend of ['interpreter', 'c']) {
      const { status, stderr } = run('run', 'sizes.td', '--fn', fn, '--args', 'args.json', '--backend', backend);
      assert.is(status, 1);
      assert.ok(stderr.includes(message), `${backend}: ${stderr}`);
    }
  }
});

/** Makes the calls on a session. */
function failIn(session: Session): void {
  for (const [fn, args, message] of calls) {
    const method = (session as unknown as Record<string, Method<{ [name: string]: unknown }>>)[fn];
    const given = args.map((arg) => (Array.isArray(arg) ? Tensor.from(arg, { dtype: 'f32' }) : arg));
    try {
      method?.(...given);
      assert.unreachable(`${fn} accepts its arguments`);
    } catch (error) {
      assert.is((error as TdslError).code, 'TDSL_SHAPE', String(error));
      assert.ok(withoutFolder((error as TdslError).message).includes(message), (error as TdslError).message);
    }
  }
}

test('an interpreted session tells them', async () => failIn(await interpret(file)));

test('a native session tells them', async () => {
  const compiled = await compileModule(file, { mode: 'dev', outDir: path.join(folder, 'out') });
  const model = await importModule<{ create(): Promise<Session> }>(compiled);
  failIn(await model.create());
});

test.run();
