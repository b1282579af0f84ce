// Prints random bits. Philox gives four words for a block of four positions: where four vectors of neighbouring positions are in flight, every
// lane computes a block, and the words are put in order; elsewhere every lane computes the block of its position and takes its word, in vectors
// where the distances between lanes are known.

import { argument, type Scalar } from '../../compiler/ir/scalar.js';
import { philox } from '../../compiler/scalar/philox.js';
import type { Expr } from '../kernel/ir.js';
import { randomBitsFunction } from '../kernel/lower/random.js';
import { lanePattern } from '../kernel/schedule/lanes.js';
import { copyPositions, type Lines, operandOf, type Scope, valueNamed } from './context.js';
import { eachLane, unrolled } from './guards.js';
import { laneNumbers } from './memory.js';
import { functionText } from './operators.js';
import { positionText } from './positions.js';
import { callText, emitScalars, inForm, type Operand, type Sink } from './scalar.js';
import { elementType, type Form, scalarForm } from './types.js';
import type { Unit } from './unit.js';

type Random = Extract<Expr, { kind: 'random' }>;

const WORDS = 4;

/** The random bits of every copy of the vectors in flight, or of one position outside of lanes. */
export function emitRandom(lines: Lines, expr: Random, scope: Scope, inLanes: boolean): readonly string[] {
  const { unit } = lines;
  const keys = expr.key.map((temp) => valueNamed(scope, temp.name));
  const { lanes } = scope;
  const call = (position: string): string =>
    callText(unit, randomBitsFunction, scalarForm, [...keys.map((key) => operandOf(key, 0).text), position]);
  if (!inLanes || lanes === undefined)
    return [named(lines, 'int32_t', call(positionText(expr.position, scope.positions)))];
  const { form, copies } = lanes;
  if (keys.some((key) => key.inLanes)) throw new Error('the key of a draw differs between lanes');
  const pattern = lanePattern(unrolled(expr.position, scope), lanes.index, form.lanes);
  const vector = elementType(unit, 'i32', form.lanes);
  const all = Array.from({ length: copies }, (_, copy) => copy);
  if (pattern === undefined || form.lanes < WORDS || !pattern.deltas.every(isOffset)) {
    return all.map((copy) => eachLane(lines, vector, scope, copy, (lane) => call(positionText(expr.position, lane))));
  }
  const start = (copy: number): string => positionText(pattern.start, copyPositions(scope, copy));
  const key = keys.map((value) => operandOf(value, 0).text);
  const isInOrder = pattern.deltas.every((delta, lane) => delta === lane);
  if (isInOrder && copies % WORDS === 0) {
    return all.flatMap((copy) => (copy % WORDS === 0 ? blocksInOrder(lines, form, key, start(copy)) : []));
  }
  const offsets = isInOrder ? laneNumbers(unit, 'i32', form.lanes) : `(${vector}){${pattern.deltas.join(', ')}}`;
  return all.map((copy) => ownBlocks(lines, form, key, start(copy), offsets));
}

/** Whether a lane may lie so far behind the first: with the place of that one in its block, the distance has to fit 32 bits. */
const isOffset = (delta: number): boolean => delta >= 0 && delta < 2 ** 31 - WORDS;

function named(lines: Lines, type: string, text: string): string {
  const name = lines.fresh();
  lines.line(`const ${type} ${name} = ${text};`);
  return name;
}

/** Four vectors of neighbouring positions. The first may lie inside of a block: then the vectors take the words from there on. */
function blocksInOrder(lines: Lines, form: Form, key: readonly string[], start: string): readonly string[] {
  const { unit } = lines;
  const vector = elementType(unit, 'i32', form.lanes);
  const name = lines.fresh();
  lines.line(`${vector} ${name}[4];`);
  lines.line(`${blocksFunction(unit, form)}(${key.join(', ')}, ${start}, ${name});`);
  return [0, 1, 2, 3].map((copy) => `${name}[${copy}]`);
}

/** One vector of positions, `offsets` from the first. */
const ownBlocks = (lines: Lines, form: Form, key: readonly string[], start: string, offsets: string): string =>
  named(
    lines,
    elementType(lines.unit, 'i32', form.lanes),
    `${vectorFunction(lines.unit, form)}(${key.join(', ')}, ${start}, ${offsets})`,
  );

const [low, high, k0l, k0h, k1l, k1h] = [0, 1, 2, 3, 4, 5].map((index) => argument(index, 'i32')) as [
  Scalar,
  Scalar,
  Scalar,
  Scalar,
  Scalar,
  Scalar,
];
const words = philox([low, high, k1l, k1h], [k0l, k0h]);

/** Words of the blocks whose numbers the lanes of `low` and `high` hold. */
function philoxFunction(unit: Unit, form: Form): string {
  const name = `philox_i32x${form.lanes}`;
  return unit.define(name, () => {
    const vector = elementType(unit, 'i32', form.lanes);
    const body: string[] = [];
    const sink: Sink = { unit, line: (text) => body.push(text), fresh: () => `v${body.length}` };
    const args: Operand[] = [
      { text: 'low', inLanes: true },
      { text: 'high', inLanes: true },
      ...['(int32_t)k0', '(int32_t)(k0 >> 32)', '(int32_t)k1', '(int32_t)(k1 >> 32)'].map((text) => ({
        text,
        inLanes: false,
      })),
    ];
    // Masks play no part, so the lanes are those of 32-bit integers.
    const results = emitScalars(sink, words, args, { lanes: form.lanes, maskBytes: 4 });
    for (const [word, result] of results.entries()) body.push(`w[${word}] = ${inForm(unit, 'i32', form, result)};`);
    return functionText(
      'void',
      name,
      `int64_t k0, int64_t k1, ${vector} low, ${vector} high, ${vector} *w`,
      body.join('\n  '),
      'static __attribute__((noinline))',
    );
  });
}

/** The numbers of the blocks `block` + lanes as their low and high words. */
const blockLines = (vector: string, offsets: string): string[] => [
  `const ${vector} base = (${vector}){0} + (int32_t)block, low = base + (${offsets});`,
  `const ${vector} carry = (${vector})((low ^ INT32_MIN) < (base ^ INT32_MIN)), high = (${vector}){0} + (int32_t)(block >> 32) - carry;`,
];

function blocksFunction(unit: Unit, form: Form): string {
  const { lanes } = form;
  const name = `random_blocks_i32x${lanes}`;
  return unit.define(name, () => {
    const vector = elementType(unit, 'i32', lanes);
    const numbers = laneNumbers(unit, 'i32', lanes);
    const philoxName = philoxFunction(unit, form);
    const single = vectorFunction(unit, form);
    const half = Array.from({ length: lanes / 2 }, (_, i) => i);
    const pairs = (from: number): string => half.flatMap((i) => [from + i, lanes + from + i]).join(', ');
    const quads = (from: number): string =>
      half
        .filter((i) => i % 2 === 0)
        .flatMap((i) => [from + i, from + i + 1, lanes + from + i, lanes + from + i + 1])
        .join(', ');
    const shuffle = (a: string, b: string, picks: string): string => `__builtin_shufflevector(${a}, ${b}, ${picks})`;
    const body = [
      `if (start & 3) {`,
      ...[0, 1, 2, 3].map((copy) => `  out[${copy}] = ${single}(k0, k1, start + ${copy * lanes}, ${numbers});`),
      '  return;',
      '}',
      'const int64_t block = start >> 2;',
      ...blockLines(vector, numbers),
      `${vector} w[4];`,
      `${philoxName}(k0, k1, low, high, w);`,
      `const ${vector} a = ${shuffle('w[0]', 'w[1]', pairs(0))}, b = ${shuffle('w[2]', 'w[3]', pairs(0))};`,
      `const ${vector} c = ${shuffle('w[0]', 'w[1]', pairs(lanes / 2))}, d = ${shuffle('w[2]', 'w[3]', pairs(lanes / 2))};`,
      `out[0] = ${shuffle('a', 'b', quads(0))};`,
      `out[1] = ${shuffle('a', 'b', quads(lanes / 2))};`,
      `out[2] = ${shuffle('c', 'd', quads(0))};`,
      `out[3] = ${shuffle('c', 'd', quads(lanes / 2))};`,
    ];
    return functionText('void', name, `int64_t k0, int64_t k1, int64_t start, ${vector} *out`, body.join('\n  '));
  });
}

function vectorFunction(unit: Unit, form: Form): string {
  const name = `random_vector_i32x${form.lanes}`;
  return unit.define(name, () => {
    const vector = elementType(unit, 'i32', form.lanes);
    const philoxName = philoxFunction(unit, form);
    const picked = [0, 1, 2, 3].map((word) => `(w[${word}] & (${vector})((place & 3) == ${word}))`);
    const body = [
      `const ${vector} place = offsets + (int32_t)(start & 3);`,
      'const int64_t block = start >> 2;',
      ...blockLines(vector, '(place >> 2)'),
      `${vector} w[4];`,
      `${philoxName}(k0, k1, low, high, w);`,
      `return ${picked.join(' | ')};`,
    ];
    return functionText(
      vector,
      name,
      `int64_t k0, int64_t k1, int64_t start, ${vector} offsets`,
      body.join('\n  '),
      'static __attribute__((noinline))',
    );
  });
}
