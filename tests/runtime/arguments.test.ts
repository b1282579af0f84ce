// The values of a call's parameters, by name and in order.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parametersOf, readInputs } from '../../runtime/arguments.js';
import type { ManifestEntry } from '../../runtime/manifest.js';

const entry: ManifestEntry = {
  name: 'descend',
  hidden: false,
  symbols: [],
  tensors: [],
  params: ['x', 'test_x'].map((name, index) => ({ name, structure: { kind: 'tensor', index } })),
  result: null,
  state: { reads: [], writes: [] },
};

test('arguments go by name or in order', () => {
  assert.equal(parametersOf('descend', entry, [{ test_x: 2, x: 1 }]), [1, 2]);
  assert.equal(parametersOf('descend', entry, [1, 2]), [1, 2]);
});

test('a name that is spelled as in JavaScript is told how the program spells it', () => {
  const call = (args: object) => () => parametersOf('descend', entry, [args]);
  assert.throws(call({ x: 1, testX: 2 }), /there is no argument testX: it is called test_x, as in the program$/);
  assert.throws(call({ x: 1, other: 2 }), /there is no argument other$/);
});

test('an object is the arguments by name unless the only parameter is a record', () => {
  const [x] = entry.params;
  const one = { ...entry, params: x === undefined ? [] : [x] };
  assert.throws(() => parametersOf('descend', one, [{}]), /takes x; x is missing$/);
  assert.throws(() => parametersOf('descend', one, [{ y: 1 }]), /takes x; there is no argument y$/);
  const record = { ...one, params: [{ name: 'x', structure: { kind: 'record' as const, fields: {} } }] };
  assert.equal(parametersOf('descend', record, [{ y: 1 }]), [{ y: 1 }]);
});

test('a dimension that is no whole number, or too large for one, is shown', () => {
  const sized: ManifestEntry = {
    ...entry,
    symbols: [{ name: 'n', min: 0, max: null }],
    params: [{ name: 'n', structure: { kind: 'dim', symbol: 0 } }],
  };
  const call = (n: unknown) => () => readInputs('ids', sized, [n]);
  assert.throws(call(1.5), /argument n: expected a whole number, found 1\.5$/);
  assert.throws(call(2 ** 53), /expected a whole number, found 9007199254740992, which is too large to be exact$/);
  assert.throws(call('3'), /expected a whole number, found a string$/);
});

test.run();
