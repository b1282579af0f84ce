// The text form: what it looks like, that it reads back, and what parse errors say.

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Builder } from '../../../compiler/ir/builder.js';
import { dimConst, dimSymbol } from '../../../compiler/ir/dims.js';
import type { Origin } from '../../../compiler/ir/graph.js';
import { ParseError, parseModule, parseProgram } from '../../../compiler/ir/parse.js';
import { dotModule, jsonModule, printFunction, printModule, printProgram } from '../../../compiler/ir/print.js';
import { plainAccess } from '../../../compiler/ir/space.js';
import { functionKey, moduleEquals, programEquals } from '../../../compiler/ir/text/equal.js';
import { parseOrigin, printOrigin } from '../../../compiler/ir/text/words.js';
import { verifyModule } from '../../../compiler/ir/verify.js';
import { verifyProgram } from '../../../compiler/ir/verify-program.js';
import type { Program } from '../../../compiler/program.js';
import { randomGraph } from '../../support/graphs.js';
import { draws } from '../../support/property.js';

test('a function prints as documented', () => {
  const B = dimSymbol('B');
  const b = new Builder('loss');
  const x = b.param('x', { dtype: 'f32', shape: [B, dimConst(784)] });
  const w = b.param('w', { dtype: 'f32', shape: [dimConst(256), dimConst(784)] });
  const space = {
    indices: [
      { name: 'b', extent: B },
      { name: 'o', extent: dimConst(256) },
      { name: 'k', extent: dimConst(784) },
    ],
    outer: 2,
  };
  const site = { file: 'mlp.td', line: 13, column: 79 };
  const z = b.withOrigin({ site, text: 'fc1(x)' }, () =>
    b.contract(space, [plainAccess([0, 2]), plainAccess([1, 2])], [x, w], [], 'z'),
  );
  const on = b.withOrigin({ rule: 'd relu', of: 'h' }, () => b.elementwise('gt', [z, b.constant(0, 'f32')], 'on'));
  const total = b.sum(b.cast(on, 'f32', 'y'), [0], 's');
  assert.is(
    printFunction(b.finish([total])),
    [
      'fn loss(%x: f32[B, 784], %w: f32[256, 784]) -> f32[256] {',
      '  %z = contract [b, o] over k: %x[b, k] * %w[o, k]  : f32[B, 256]   # mlp.td:13:79 fc1(x)',
      '  %on = gt %z, f32(0)                               : bool[B, 256]  # d relu | of %h',
      '  %y = cast %on                                     : f32[B, 256]',
      '  %s = sum %y over [0]                              : f32[256]',
      '  return %s',
      '}',
      '',
    ].join('\n'),
  );
});

const forms = `tdir 1

fn @"odd name"(%x: f32[H, 4], %k: i64[2]) -> (f32[H, 4], f32[3]) {  # lib.td:1:1
  %a = contract [i, j] over u < 3: %x[i, 2*j + u - 1?]            : f32[H, 4]
  %b = contract [i, j] over u < 3: %x[i, (j - u) / 2?]            : f32[H, 4]
  %c = contract [i] over j, h: %x[i, j] * %x[h, j] where i - h == 0, j == 0  : f32[H]
  %d = max [i, j] over u < 2: %x[{H - 1} - i, j]                  : f32[H, 4]
  %v, %p = max_with_index %x over [0]                             : f32[4], i64[4]
  %i = constant [0, 3, 1]                                         : i64[3]
  %g = gather [n]: %v[%i[n]]                                      : f32[3]
  %g2 = gather [n]: %x[%p^1[n], %p^2[n]]                          : f32[4]
  %s = scatter max [n]: %v[%i[n]] from %g                         : f32[4]
  %r = reshape %x                                                 : f32[4*H]
  %t = permute %x by [1, 0]                                       : f32[4, H]
  %w = broadcast %v at [1]                                        : f32[H, 4]
  %y = slice %x from [0, 1] step [1, 2]                           : f32[H, 2]
  %f = flip %x along [0, 1]                                       : f32[H, 4]
  %q = pad %v with f32(-inf) low [1] high [H] interior [2]        : f32[H + 11]
  %m = concat %v, %v along 0                                      : f32[8]
  %o = cumsum %x along 1 reverse                                  : f32[H, 4]
  %u = argsort %x along 0 reverse from [H - 2]                    : i64[2, 4]
  %l = iota along 1                                               : i32[2, 3]
  %z = size {max(H, 3)*(H // 2)}                                  : i64
  %n = fold_in %k, i64(9007199254740993)                          : i64[2]
  %e = random_bits %n                                             : i32[H]
  %h = constant nan                                               : f16[H]
  return %a, %g
}
`.replace('fn @"odd name"', 'fn "odd name"');

test('every form reads back', () => {
  const module = parseModule(forms);
  const again = parseModule(printModule(module));
  assert.is(functionKey([...again.functions.values()][0]!), functionKey([...module.functions.values()][0]!));
  assert.ok(moduleEquals(module, again));
  const text = printModule(module);
  for (const part of [
    '[i, j] over u < 3: %x[i, 2*j + u - 1?]',
    '(j - u) / 2?',
    'where i - h == 0, j == 0',
    '%x[-i + {H - 1}, j]',
    'with f32(-inf) low [1] high [H] interior [2]',
    'i64(9007199254740993)',
    '%x[%p[n], %p^2[n]]',
    'size {',
  ]) {
    assert.ok(text.includes(part), `${part} is missing in\n${text}`);
  }
});

test('stated derivatives read back', () => {
  const text = `tdir 1

fn f(%x: f32, %k: i64) -> (f32, i64) {
  return %x, %k
}

fn df(%x: f32, %k: i64, %y: f32, %i: i64, %t: f32) -> f32 {
  return %t
}

fn g(%x: f32, %k: i64) -> f32 {
  %y, %i = custom_jvp @f(%x, %k) derivative @df wrt [0] of [0]  : f32, i64
  return %y
}
`;
  assert.is(printModule(parseModule(text)), text);
});

test('random modules read back and verify', () => {
  fc.assert(
    fc.property(randomGraph({ regions: 'derivatives', dtype: 'f32' }), ({ module }) => {
      verifyModule(module, { stage: 'elaborated' });
      const text = printModule(module);
      const again = parseModule(text);
      assert.is(printModule(again), text);
      for (const func of module.functions.values())
        assert.is(functionKey(again.functions.get(func.name)!), functionKey(func));
      verifyModule(again, { stage: 'elaborated' });
    }),
    draws(300),
  );
});

test('origins of any text read back', () => {
  const text = fc.string({ minLength: 1 }).filter((s) => !/[\0]/.test(s));
  const site = fc.record({ file: text, line: fc.nat(), column: fc.nat() }, { noNullPrototype: true });
  const origins: fc.Arbitrary<Origin> = fc.record(
    { site, text, of: text, rule: text },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(origins, (origin) => {
      const comment = printOrigin(origin);
      assert.not.ok(comment.includes('\n'));
      assert.equal(parseOrigin(comment), origin, comment);
    }),
  );
  assert.equal(parseOrigin('written by hand'), { rule: 'written by hand' });
});

const program: Program = {
  name: 'tiny',
  module: parseModule(`tdir 1
fn step(%w: f32[3], %x: f32[B, 3]) -> (f32[3], f32) {
  %l = contract [] over b, k: %x[b, k] * %w[k] : f32
  return %w, %l
}`),
  state: [{ path: 'net.weight', role: 'param', dtype: 'f32', shape: [3] }],
  entries: [
    {
      name: 'step',
      fn: 'step',
      inputs: [
        { kind: 'state', leaf: 0 },
        { kind: 'argument', path: 'batch.x' },
      ],
      outputs: [
        { kind: 'state', leaf: 0 },
        { kind: 'result', path: '' },
      ],
      arguments: [
        {
          name: 'batch',
          structure: {
            kind: 'record',
            fields: [
              {
                name: 'x',
                value: { kind: 'tensor', index: 0, type: { dtype: 'f32', shape: [dimSymbol('B'), dimConst(3)] } },
              },
              { name: 'none', value: { kind: 'tuple', items: [] } },
            ],
          },
        },
      ],
      result: { kind: 'list', items: [{ kind: 'tensor', index: 0, type: { dtype: 'f32', shape: [] } }] },
      symbols: ['B'],
      constraints: [
        { left: dimSymbol('B'), right: dimConst(4), message: 'a batch of "four"' },
        { left: dimSymbol('B'), message: 'never negative', site: { file: 'a "b".td', line: 3, column: 14 } },
      ],
      equalities: [{ left: dimSymbol('B'), right: dimSymbol('C'), message: 'axes agree' }],
      doc: 'One step.\nOf training.',
    },
  ],
};

test('programs read back', () => {
  verifyProgram(program);
  const text = printProgram(program);
  const again = parseProgram(text);
  assert.ok(programEquals(program, again), text);
  assert.is(printProgram(again), text);
  assert.ok(
    text.includes(
      '  state net.weight: param f32[3]\n  entry step = @step {\n    doc "One step.\\nOf training."\n    dims B\n',
    ),
  );
  assert.ok(moduleEquals(parseModule(text), program.module));
});

const errors: readonly [string, number, number, RegExp][] = [
  ['tdir 2\n', 1, 6, /format 2; only format 1/],
  ['fn f() -> () {', 1, 1, /expected 'tdir'/],
  ['tdir 1\nfn f(%x: f33) -> f32 {\n', 2, 10, /'f33' is not a dtype/],
  ['tdir 1\nfn f(%x: f32) -> f32 {\n  %y = neg %z : f32\n  return %y\n}', 3, 12, /%z is not defined/],
  ['tdir 1\nfn f(%x: f32) -> f32 {\n  %x = neg %x : f32\n  return %x\n}', 3, 3, /%x is defined twice/],
  [
    'tdir 1\nfn f(%x: f32) -> f32 {\n  %y = neg %x\n  return %y\n}',
    4,
    3,
    /expected ':' and the types of the results, found 'return'/,
  ],
  ['tdir 1\nfn f(%x: f32) -> i32 {\n  return %x\n}', 3, 10, /declared i32, but %x is f32/],
  [
    'tdir 1\nfn f(%x: f32[3]) -> f32[3] {\n  %y = contract [i] over k: %x[i] : f32[3]\n  return %y\n}',
    3,
    8,
    /extent of k does not follow/,
  ],
  [
    'tdir 1\nfn f(%x: f32[3]) -> f32[3] {\n  %y = contract [i]: %x[j] : f32[3]\n  return %y\n}',
    3,
    25,
    /there is no index j/,
  ],
  ['tdir 1\nfn f(%x: f32[B*]) -> f32 {\n', 2, 14, /ends early/],
  ['tdir 1\nfn f() -> i8 {\n  return i8(128)\n}', 3, 13, /128 is not a value of i8/],
  ['tdir 1\nfn f() -> i8[2] {\n  %x = constant [1, 0.5] : i8[2]\n  return %x\n}', 3, 8, /0.5 is not a value of i8/],
  ['tdir 1\nfn f() -> () {\n  return\n', 4, 1, /end of the text/],
  ['tdir 1\nfn f() -> () {\n  return\n}\nfn f() -> () {\n  return\n}', 5, 1, /two functions @f/],
];

test('errors say where, what was expected and what was found', () => {
  for (const [text, line, column, message] of errors) {
    try {
      parseModule(text);
      assert.unreachable(text);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      assert.match(error.reason, message);
      assert.equal([error.line, error.column], [line, column], `${text}: ${error.message}`);
    }
  }
  assert.throws(() => parseModule('tdir 1\nfn 3', 'a.tdir'), /^a\.tdir:2:5: |a\.tdir:2:/);
});

test('text cut anywhere gives an error and no crash', () => {
  for (let end = 0; end < forms.length; end += 3) {
    try {
      parseModule(forms.slice(0, end));
    } catch (error) {
      assert.instance(error, ParseError, `${error}`);
    }
  }
});

test('other formats hold every node', () => {
  const module = parseModule(forms);
  const json = JSON.stringify(jsonModule(module));
  assert.ok(json.includes('"extent":"H"') && json.includes('"9007199254740993"') && json.includes('"name":"odd name"'));
  const dot = dotModule(module);
  assert.ok(dot.startsWith('digraph {') && dot.includes('f32[H, 4]'));
  assert.is(dot.split('{').length, dot.split('}').length);
});

test.run();
