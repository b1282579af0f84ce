// The verifier: what it refuses, and what it says.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dimSymbol } from '../../../compiler/ir/dims.js';
import type { Func, Module, Node } from '../../../compiler/ir/graph.js';
import { parseModule, parseProgram } from '../../../compiler/ir/parse.js';
import { printProgram } from '../../../compiler/ir/print.js';
import { type Stage, VerifyError, type VerifyOptions, verifyModule } from '../../../compiler/ir/verify.js';
import { verifyProgram } from '../../../compiler/ir/verify-program.js';

const moduleOf = (body: string, params = '%x: f32[B, 4]', results = 'f32[B, 4]'): Module =>
  parseModule(`tdir 1\nfn f(${params}) -> ${results} {\n${body}\nreturn %y\n}`);

function refuses(module: Module, message: RegExp, options: VerifyOptions = {}): void {
  try {
    verifyModule(module, options);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    assert.match(error.message, message);
    assert.is(error.code, 'B0902');
    return;
  }
  assert.unreachable(`${message} was accepted`);
}

/** The only function of a module changed. */
function changed(module: Module, change: (func: Func) => Partial<Func>): Module {
  const func = module.functions.get('f') as Func;
  return { functions: new Map([['f', { ...func, ...change(func) }]]) };
}

test('a sort gives places that its rows have', () => {
  const places = (from: string) =>
    moduleOf(`%y = argsort %x along 1 from [${from}] : i64[B, 2]`, undefined, 'i64[B, 2]');
  verifyModule(places('2'));
  refuses(places('3'), /argsort: there are no places 3 to 5 of 4/);
  refuses(places('-1'), /argsort: there are no places -1 to 1 of 4/);
  refuses(moduleOf('%y = cumsum %x along 1 from [0] : f32[B, 4]'), /cumsum: gives all places/);
});

test('single assignment: values are defined once, before their use', () => {
  const good = moduleOf('%a = neg %x : f32[B, 4]\n%y = neg %a : f32[B, 4]');
  verifyModule(good);
  refuses(
    changed(good, ({ nodes }) => ({ nodes: nodes.toReversed() })),
    /^@f: %y = neg %a : f32\[B, 4\]: %a is used before it is defined$/,
  );
  refuses(
    changed(good, ({ nodes }) => ({ nodes: [...nodes, nodes[0] as Node] })),
    /%a is defined twice/,
  );
  const renamed = ({ nodes }: Func): Partial<Func> => {
    const [a, y] = nodes as [Node, Node];
    const value = { ...(a.results[0] as Node['results'][number]), name: 'x' };
    return { nodes: [{ ...a, results: [value] } as Node, { ...y, inputs: [value] } as Node] };
  };
  refuses(changed(good, renamed), /two values are called %x/);
  refuses(
    changed(good, ({ nodes }) => ({ nodes: nodes.slice(1) })),
    /%a is used before/,
  );
  refuses(
    changed(good, ({ nodes }) => ({ nodes: nodes.slice(0, 1) })),
    /it returns %y, which it does not compute/,
  );
  refuses({ functions: new Map([['g', good.functions.get('f') as Func]]) }, /under the name @g/);
});

test('types are what the type rules say', () => {
  refuses(moduleOf('%y = neg %x : f32[B, 5]', undefined, 'f32[B, 5]'), /%y is f32\[B, 5\], expected f32\[B, 4\]/);
  refuses(moduleOf('%y = add %x, %k : f32[B, 4]', '%x: f32[B, 4], %k: f64[4]'), /add: operand 1 must be f32, got f64/);
  refuses(moduleOf('%y = frobnicate %x : f32[B, 4]'), /no elementwise operation 'frobnicate'/);
});

test('subscripts without a mask are inside', () => {
  const windows = (subscript: string, extent: string) =>
    moduleOf(
      `%y = contract [b, i < ${extent}] over u < 3: %x[b, ${subscript}] : f32[B, ${extent}]`,
      undefined,
      `f32[B, ${extent}]`,
    );
  verifyModule(windows('i + u', '2'));
  verifyModule(windows('i + u?', '4'));
  verifyModule(windows('-i - u + 3', '2'));
  verifyModule(windows('(i + u) / 2', '6'));
  refuses(windows('i + u', '3'), /subscript 1 is not masked and may leave a dimension of size 4/);
  refuses(windows('i + u - 1', '2'), /may leave/);
  refuses(windows('(i + u) / 2', '7'), /may leave/);
  const rows = (extent: string) =>
    moduleOf(`%y = contract [b < ${extent}, i]: %x[b + 1, i] : f32[${extent}, 4]`, undefined, `f32[${extent}, 4]`);
  verifyModule(rows('B - 1'));
  refuses(rows('B'), /may leave a dimension of size B/);
  const other = moduleOf('%y = contract [b < H, i]: %x[b, i] : f32[H, 4]', undefined, 'f32[H, 4]');
  refuses(other, /may leave/);
  // A constraint that is checked on entry, H ≤ B, proves it.
  verifyModule(other, { positive: parseModuleDims('B - H + 1') });
});

const parseModuleDims = (text: string) => {
  const func = parseModule(`tdir 1\nfn d(%x: f32[${text}]) -> f32[${text}] {\nreturn %x\n}`).functions.get('d') as Func;
  return (func.params[0] as Func['params'][number]).type.shape;
};

test('slices and index tensors', () => {
  verifyModule(moduleOf('%y = slice %x from [0, 1] : f32[B, 3]', undefined, 'f32[B, 3]'));
  refuses(
    moduleOf('%y = slice %x from [0, 2] : f32[B, 3]', undefined, 'f32[B, 3]'),
    /the slice leaves dimension 1 of size 4/,
  );
  const gathered = moduleOf('%y = gather [n]: %x[%i[n], %i[n]] : f32[N]', '%x: f32[B, 4], %i: i64[N]', 'f32[N]');
  verifyModule(gathered);
  const unread = ({ nodes }: Func): Partial<Func> => {
    const node = nodes[0] as Node;
    return { nodes: [{ ...node, inputs: [...node.inputs, node.inputs[1] as Node['inputs'][number]] } as Node] };
  };
  refuses(changed(gathered, unread), /operand 2 is not read/);
});

const regions = (statement: string, extra = '') =>
  parseModule(`tdir 1
fn g(%a: f32[B], %n: i64) -> (f32[B], f32) {
  %s = sum %a over [0] : f32
  return %a, %s
}
${extra}
fn f(%x: f32[B], %n: i64, %d: f32) -> f32[B] {
  ${statement}
  return %y
}`);

test('regions fit the functions that they carry', () => {
  verifyModule(regions('%y, %s = call @g(%x, %n) : f32[B], f32'), { stage: 'elaborated' });
  verifyModule(regions('%y, %s, %t = jvp @g(%x, %n, %x) wrt [0] of [1] : f32[B], f32, f32'), { stage: 'inlined' });
  verifyModule(regions('%y, %s, %t = vjp @g(%x, %n, %d) wrt [0] of [1] : f32[B], f32, f32[B]'), { stage: 'inlined' });
  refuses(regions('%y = call @h(%x) : f32[B]'), /no function before this one is called @h/);
  refuses(regions('%y, %s = call @g(%x, %d) : f32[B], f32'), /operand 1, %d, is f32, expected i64/);
  refuses(regions('%y = call @g(%x, %n) : f32[B]'), /it has 1 results, expected 2/);
  refuses(
    regions('%y, %s, %t = vjp @g(%x, %n, %d) wrt [1] of [1] : f32[B], f32, i64'),
    /parameter 1 of @g is i64, which has no derivatives/,
  );
  refuses(regions('%y, %s, %t = jvp @g(%x, %n, %x) wrt [0] of [2] : f32[B], f32, f32'), /@g has no result 2/);
  const stated = (params: string, results: string) =>
    regions(
      '%y, %s = custom_jvp @g(%x, %n) derivative @dg wrt [0] of [1] : f32[B], f32',
      `fn dg(${params}) -> (${results}) {\n  return ${results === 'f32' ? '%s' : '%s, %s'}\n}`,
    );
  const point = '%a: f32[B], %n: i64, %y: f32[B], %s: f32';
  verifyModule(stated(`${point}, %d_a: f32[B]`, 'f32'), { stage: 'inlined' });
  refuses(stated(`${point}, %d_a: f32`, 'f32'), /@dg does not take the parameters, the results and the tangents/);
  refuses(stated(`${point}, %d_a: f32[B]`, 'f32, f32'), /@dg does not give the tangents of the results/);
  const recursive = parseModule('tdir 1\nfn f(%x: f32) -> f32 {\n%y = call @f(%x) : f32\nreturn %y\n}');
  refuses(recursive, /no function before this one is called @f/);
});

test('stages allow fewer forms', () => {
  const stages: readonly Stage[] = ['elaborated', 'inlined', 'differentiated', 'fused'];
  const call = regions('%y, %s = call @g(%x, %n) : f32[B], f32');
  const vjp = regions('%y, %s, %t = vjp @g(%x, %n, %d) wrt [0] of [1] : f32[B], f32, f32[B]');
  const custom = regions(
    '%y, %s = custom_jvp @g(%x, %n) derivative @dg wrt [0] of [] : f32[B], f32',
    'fn dg(%a: f32[B], %n: i64, %y: f32[B], %s: f32, %d_a: f32[B]) -> () {\n  return\n}',
  );
  const kernel = regions('%z, %s = kernel @g(%x, %n) : f32[B], f32\n%y = reshape %z : f32[B]');
  const accepted = (module: Module) =>
    stages.filter((stage) => {
      try {
        verifyModule(module, { stage });
        return true;
      } catch {
        return false;
      }
    });
  assert.equal(accepted(call), ['elaborated']);
  assert.equal(accepted(vjp), ['elaborated', 'inlined']);
  assert.equal(accepted(custom), ['elaborated', 'inlined']);
  assert.equal(accepted(kernel), ['fused']);
  refuses(call, /there is no call in the stage 'inlined'/, { stage: 'inlined' });
  const loose = regions('%z, %s = kernel @g(%x, %n) : f32[B], f32\n%y = neg %z : f32[B]');
  refuses(loose, /^@f: %y = neg %z : f32\[B\]: the elementwise node stands outside a kernel$/, { stage: 'fused' });
});

const header = (entry: string, state = 'state m.w: param f32[3]') =>
  parseProgram(`tdir 1
program p {
  ${state}
  entry step = @f {
    ${entry}
  }
}
fn f(%w: f32[3], %x: f32[B]) -> (f32[3], f32[B]) {
  return %w, %x
}`);
const good = 'dims B\nin (state m.w, argument x)\nout (state m.w, result "")\nargument x: 0 f32[B]\nresult 0 f32[B]';

test('entries and state fit their functions', () => {
  const fails = (text: string, message: RegExp, state?: string) =>
    assert.throws(() => verifyProgram(header(text, state)), message);
  verifyProgram(header(good), { stage: 'fused' });
  fails(good, /parameter 0, the state m.w, is f32\[3\], expected f32\[4\]/, 'state m.w: param f32[4]');
  fails(good, /two leaves of the state are called 'm.w'/, 'state m.w: param f32[3]\nstate m.w: param f32[3]');
  fails(good.replace(', argument x', ''), /it describes 1 parameters of 2/);
  fails(good.replace('x: 0 f32[B]', 'x: 1 f32[B]'), /there is no argument 1/);
  fails(good.replace('result 0 f32[B]', 'result ()'), /no structure has result 0/);
  fails(good.replace('dims B', 'dims B, C'), /no argument has the dimension C/);
  const withNumber = good
    .replace('dims B', 'dims B, C')
    .replace('result 0 f32[B]', 'argument c: dim C\nresult 0 f32[B]');
  verifyProgram(header(withNumber));
  assert.ok(printProgram(header(withNumber)).includes('argument c: dim C\n'));
  fails(withNumber.replace('dim C', 'dim D'), /the argument D is no dimension/);
  fails(`evaluation eval\n${good}`, /there is no entry 'eval'/);
  const missing = header(good);
  assert.throws(
    () => verifyProgram({ ...missing, module: { functions: new Map() } }),
    /entry 'step': its function does not exist/,
  );
  assert.ok(dimSymbol('B'));
});

test.run();
