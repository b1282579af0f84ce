// The values of a call's parameters, by name and in order.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parametersOf } from '../../runtime/arguments.js';
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

test.run();
