// Names that exported functions and state would have in a session: no two may be the same, and none may be one of the session's own.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDiagnostic } from '../../../compiler/diagnostics/report.js';
import { Session } from '../../../runtime/session.js';
import { RESERVED_NAMES } from '../../../runtime/session-names.js';
import { diagnosticsOf } from '../../support/program.js';

const scalar = (...names: readonly string[]): string =>
  names.map((name) => `export fn ${name}(x: f32) -> f32 = x\n`).join('');

/** The reports about a program, all of which are about names. */
function reports(text: string): readonly string[] {
  const found = diagnosticsOf(text);
  for (const { code } of found) assert.is(code, 'E0213');
  return found.map((each) => renderDiagnostic(each));
}

test('the names that the checker knows are those of sessions', () => {
  const own = [...Object.getOwnPropertyNames(Session.prototype), 'manifest', 'then'];
  assert.equal(RESERVED_NAMES, own.sort());
});

test('two functions of one name in camel case', () => {
  const [report = '', ...others] = reports(scalar('a_b', 'aB'));
  assert.equal(others, []);
  assert.match(report, /the function `aB` and the function `a_b` would both be called `aB` in the session/);
  assert.match(report, /:2:11/);
  assert.match(report, /the function `a_b` is declared \(line 1\)/);
  assert.match(report, /help: rename one of them/);
});

test('the asynchronous form of a function and another function', () => {
  for (const names of [
    ['predict', 'predict_async'],
    ['predict_async', 'predict'],
  ]) {
    const [report = '', ...others] = reports(scalar(...names));
    assert.equal(others, []);
    assert.match(report, /would both be called `predictAsync`/);
    assert.match(report, /the asynchronous form of the function `predict`/);
  }
});

test("a session's own names", () => {
  for (const name of ['save', 'state_dict', 'constructor']) {
    const [report = ''] = reports(scalar(name));
    assert.match(report, new RegExp(`the function \`${name}\` would be called .* which has .* itself`));
  }
  assert.match(reports(scalar('then'))[0] ?? '', /`await` takes what has that name for a promise/);
});

test('the function that computes the initial state', () => {
  assert.match(reports(scalar('init'))[0] ?? '', /`init` is the name of the function that computes the initial state/);
});

test('state', () => {
  const model = 'model M {\n  param w: f32[2] = randn\n}\n';
  const read = (fn: string, state: string) => `${model}export fn ${fn}(${state}: M) -> f32[2] = ${state}.w\n`;
  assert.match(reports(read('net', 'net'))[0] ?? '', /the state `net` and the function `net` .*\n.*:4:15/);
  assert.match(reports(read('f', 'load'))[0] ?? '', /the state `load` would be called `load` in the session, which/);
  const draws = 'export fn key(x: f32[2]) -> f32[2] = x + randn([2])\n';
  assert.match(reports(draws)[0] ?? '', /the function `key` and the key of random draws would both be called `key`/);
  assert.equal(reports(read('f', 'net') + scalar('g')), []);
});

test('functions that are not exported have no such name', () => {
  assert.equal(reports(`fn save(x: f32) -> f32 = x\nexport fn f(x: f32) -> f32 = save(x)\n`), []);
});

test.run();
