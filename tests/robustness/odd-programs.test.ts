// Programs at the edges: deep, long, huge, without end, in circles, with odd characters. Each is refused with a diagnostic, or accepted.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assertSound, checkFiles, codesOf, type Files } from './check.js';

/** Programs by what is odd about them, with the codes that are expected; none where the program is right. */
const programs: Readonly<Record<string, readonly [text: string, ...codes: string[]]>> = {
  'nothing at all': [''],
  'only a comment': ['# nothing'],
  'a byte order mark': ['\ufefffn f(x: f32) -> f32 = x\n'],
  'line ends of Windows': ['fn f(x: f32[2]) -> f32[3] {\r\n  let y = x\r\n  y\r\n}\r\n', 'E0302'],
  tabs: ['fn f(x: f32[2]) -> f32[3] {\n\t\tlet y = x\n\t\ty\n}\n', 'E0302'],
  'a zero byte': ['fn f(x: f32) -> f32 = x\0 + 1\n', 'E0101'],
  'brackets a hundred deep': [`fn f(x: f32) -> f32 = ${'('.repeat(99)}x${')'.repeat(99)}\n`],
  'brackets that are too deep': [`fn f(x: f32) -> f32 = ${'('.repeat(3000)}x${')'.repeat(3000)}\n`, 'L0906'],
  'a long chain of signs': [`fn f(x: f32) -> f32 = ${'-'.repeat(20000)}x\n`, 'L0906'],
  'a long chain of fields': [`fn f(x: f32[2, 2]) -> f32[2, 2] = x${'.T'.repeat(3000)}\n`, 'E0408'],
  'a long list': [`fn f(x: f32) -> f32 = sum(tensor([${'1, '.repeat(20000)}])) * x\n`],
  'a huge integer': [`fn f(x: f32) -> f32 = x * ${'9'.repeat(400)}\n`, 'E0319'],
  'a product that is not exact': ['fn f(x: f32) -> f32 = x * (99999999999 * 99999999999)\n', 'E0319'],
  'a power that is not exact': ['fn f(x: f32) -> f32 = x * 10 ** 400\n', 'E0319'],
  'a power of a billion': ['let n = 2 ** 1000000000\nfn f(x: f32) -> f32 = x * n\n', 'E0319'],
  'a tower of powers': ['fn f(x: f32) -> f32 = x * 10 ** 10 ** 10\n', 'E0319'],
  'powers that stay small': [
    'fn f() = (1 ** 9007199254740991, 0 ** 9007199254740991, (-1) ** 9007199254740991, 3 ** 33, 0 ** 0)\n',
  ],
  'a power of a size': ['dim N\nfn f(x: f32[N]) -> f32 = x[0] * N ** 1000000000\n', 'E0319'],
  'a size that is squared': [
    'dim N\nfn f(x: f32[N]) -> f32 {\n  let n = N + 1\n  for i in 0..60 { n = n * n }\n  x[0] * n\n}\n',
    'E0319',
  ],
  'a size of parts that double': [
    'dim N\nfn f(x: f32[N]) -> f32 {\n  let n = N\n  for i in 0..60 { n = n // 3 * n + 1 }\n  x[0] * n\n}\n',
    'E0319',
  ],
  'slices of slices': [
    'dim N, S\nfn f(x: f32[N], s: f32[S]) {\n  let y = x\n  for i in 0..40 { y = y[:S + i] }\n  y\n}\n',
    'E0319',
  ],
  'a factorial': [
    'fn product(n: int) -> int = if n == 0 { 1 } else { n * product(n - 1) }\nfn f(x: f32) -> f32 = x * product(60)\n',
    'E0319',
  ],
  'a loop of a billion': ['fn f(x: f32) -> f32 {\n  for i in 0..1000000000 { x = x }\n  x\n}\n', 'L0902'],
  'an index that is not exact': ['fn f(x: f32[3]) -> f32 = x[9007199254740993]\n', 'E0319'],
  'a number that is none': ['fn f() -> f32 = sum(arange(0tdsl, 6, 2, dtype: f32))\n', 'E0109'],
  'a range from nowhere': ['fn f() -> f32 = sum(arange(nan, 6, 2, dtype: f32))\n', 'E0301'],
  'a range without end': ['fn f() -> f32 = sum(arange(0, inf, 2, dtype: f32))\n', 'E0301'],
  'a range of more elements than can be counted': [
    'fn f() -> f32 = sum(arange(0, 2, 1e-30))\nfn g() = arange(-9007199254740991, 9007199254740991)\n',
    'E0319',
    'E0319',
  ],
  'a range of a billion': ['fn f() -> f32 = sum(arange(0.0, 2e9))\n'],
  'a tensor larger than any memory': ['fn f() -> f32 = sum(zeros([1000000000, 1000000000]))\n'],
  'a recursion without end': ['fn f(x: f32) -> f32 = f(x + 1)\nfn g(x: f32) -> f32 = f(x)\n', 'E0408'],
  'two functions without end': [
    'fn f(x: f32) -> f32 = g(x)\nfn g(x: f32) -> f32 = relu((((f(x)))))\n',
    'E0408',
    'E0408',
  ],
  'a recursion that grows': ['fn f[n](x: f32[n]) -> f32[_] = f(cat([x, x], 0))\nfn g(x: f32[2]) = f(x)\n', 'E0408'],
  'a recursion of ninety calls': [
    'fn f(x: f32, n: int) -> f32 = if n == 0 { x } else { f(x * 2, n - 1) + 1 }\nfn g(x: f32) -> f32 = f(x, 90)\n',
  ],
  'a sum of thousands of terms': [`fn f(x: f32) -> f32 = ${'x + '.repeat(5000)}x\n`],
  'a conjunction of thousands of terms': [
    `fn f(x: f32) -> f32 = if ${'1 < 2 && '.repeat(3000)}true { x } else { 0 }\n`,
  ],
  'a lambda that is its own argument': ['fn g(x: f32) -> f32 {\n  let w = (f, x) => f(f, x)\n  w(w, x)\n}\n', 'E0408'],
  'a model inside of itself': ['model M {\n  inner: M\n  fn forward(x: f32) -> f32 = inner(x)\n}\n', 'E0408'],
  'constants in a circle': ['let a = b\nlet b = a\nfn f(x: f32) -> f32 = x * a\n', 'E0408', 'E0408'],
  'an exponential recursion': [
    'fn fib(n: int) -> int = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\nfn f(x: f32) -> f32 = x * fib(90)\n',
    'L0907',
  ],
  'a list that doubles': [
    'fn f(x: f32) -> f32 {\n  let l = [1]\n  for i in 0..60 { l = l + l }\n  x * len(l)\n}\n',
    'L0907',
  ],
  'a text that doubles': [
    'fn f(x: f32) -> f32 {\n  let s = "ab"\n  for i in 0..60 { s = s + s }\n  x * len(s)\n}\n',
    'E0311',
  ],
  'a list of a billion': ['fn f(x: f32) -> f32 = x * len([1] * 1000000000)\n', 'L0907'],
  'loops in loops': ['fn f() -> f32 = 0.5 * len([i * j for i in 0..4000 for j in 0..4000])\n', 'L0907'],
  'two parameters of one name': ['fn f(x: f32, x: f32) -> f32 = x\n', 'E0202'],
  'two dimensions of one name': ['fn f[n, n](x: f32[n]) -> f32[n] = x\n', 'E0202'],
  'a division of a size by zero': ['dim B\nfn f(x: f32[B]) = x[: B // 0]\n', 'E0318'],
};

for (const [what, [text, ...codes]] of Object.entries(programs)) {
  test(what, () => {
    assertSound(checkFiles({ 'main.td': text }));
    assert.equal(codesOf(text), codes);
  });
}

test('nesting that is too deep is shown where it exceeds a limit that is stated, with the calls that lead there', () => {
  const recursion =
    'fn f(x: f32, n: int) -> f32 =\n  if n == 0 { x } else {\n    f(x * 2, n - 1) + 1 }\nfn g(x: f32) -> f32 = f(x, 150)\n';
  const [calls] = checkFiles({ 'main.td': recursion });
  assert.is(calls?.message, 'the calls that lead to `f` nest more than 100 levels deep');
  assert.is(recursion.slice(calls?.span.start, calls?.span.end), 'f(x * 2, n - 1)');
  assert.match(JSON.stringify(calls?.notes), /in the call of `f`/);
  assert.match(calls?.help ?? '', /`fold`, `scan`, `for`/);
  const [expressions] = checkFiles({ 'main.td': `fn f(x: f32[2, 2]) -> f32[2, 2] = x${'.T'.repeat(400)}\n` });
  assert.is(expressions?.message, 'expressions nest more than 300 levels deep');
});

/** Programs of several files, the first of which is checked. */
const imports: Readonly<Record<string, readonly [files: Files, ...codes: string[]]>> = {
  'a file that imports itself': [{ 'a.td': 'import "./a.td" { f }\nfn g(x: f32) -> f32 = f(x)\n' }, 'E0203'],
  'two files in a circle': [
    { 'a.td': 'import "./b.td" { f }\nfn g(x: f32) -> f32 = f(x)\n', 'b.td': 'import "./a.td" { f }\n' },
    'E0203',
  ],
  'files that import different names of each other': [
    {
      'a.td': 'import "./b.td" { f }\nfn g(x: f32) -> f32 = x\nfn h(x: f32) -> f32 = f(x)\n',
      'b.td': 'import "./a.td" { g }\nfn f(x: f32) -> f32 = g(x)\n',
    },
  ],
  'a file that is missing': [{ 'a.td': 'import "./b.td" { f }\nfn g(x: f32) -> f32 = f(x)\n' }, 'E0203'],
  'a name that is missing': [{ 'a.td': 'import "./b.td" { f }\nfn g(x: f32) -> f32 = f(x)\n', 'b.td': '' }, 'E0204'],
  'a malformed file': [
    { 'a.td': 'import "./b.td" { f }\nfn g(x: f32) -> f32 = f(x)\n', 'b.td': 'fn f(x: f32) -> f32 = x +\n' },
    'E0105',
  ],
  'an error in another file': [
    { 'a.td': 'import "./b.td" { f }\nfn g(x: f32[2]) = f(x)\n', 'b.td': 'fn f(x: f32[2]) -> f32[3] = x\n' },
    'E0302',
  ],
};

for (const [what, [files, ...codes]] of Object.entries(imports)) {
  test(what, () => {
    const diagnostics = checkFiles(files);
    assertSound(diagnostics);
    assert.equal(
      diagnostics.map(({ code }) => code),
      codes,
    );
  });
}

test.run();
