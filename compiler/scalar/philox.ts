// The random generator: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC 2011) in
// scalar IR, one text for the interpreter and all backends. Every draw is a pure function of a key and a position.
//
// A key is i64[2]: (k0, k1). With lo(x) and hi(x) the low and high 32 bits of an i64:
//
//   words(k0, k1, block) = Philox of the counter (lo block, hi block, lo k1, hi k1) and the key (lo k0, hi k0): four words
//   random_bits at row-major position p = words(k0, k1, p >> 2)[p & 3]
//   fold_in((k0, k1), d) = (w0 | w1 << 32, w2 | w3 << 32) where w = Philox of the counter (lo d, hi d, lo k1, hi k1) and
//     the key (lo k0, hi k0 xor 0x666f6c64), the word 'fold' in ASCII, so that a fold never repeats the stream that it comes from
//
// The arithmetic is i32 only. The high word of a product is a step (steps.ts), for which most machines have an instruction.

import { apply, argument, cast, compare, constant, type Scalar, select } from '../ir/scalar.js';
import { highProduct } from './steps.js';

const word = (value: number): Scalar => constant(value | 0, 'i32');
const add = (a: Scalar, b: Scalar): Scalar => apply('add', a, b);
const xor = (a: Scalar, b: Scalar): Scalar => apply('xor', a, b);

const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
/** Added to the key after each round: the golden ratio and √3 - 1 as fractions of 2^32 (Weyl sequences). */
const weyl = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;

type Words = readonly [Scalar, Scalar, Scalar, Scalar];

/** Philox 4x32-10 of four counter words and two key words, all i32. */
export function philox(counter: Words, key: readonly [Scalar, Scalar]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const [m0, m1] = multipliers;
    const next: Words = [
      xor(xor(highProduct(c2, word(m1)), c1), k0),
      apply('mul', c2, word(m1)),
      xor(xor(highProduct(c0, word(m0)), c3), k1),
      apply('mul', c0, word(m0)),
    ];
    [c0, c1, c2, c3] = next;
    k0 = add(k0, word(weyl[0]));
    k1 = add(k1, word(weyl[1]));
  }
  return [c0, c1, c2, c3];
}

const low = (a: Scalar): Scalar => cast(a, 'i32');
const high = (a: Scalar): Scalar => cast(apply('ushr', a, constant(32, 'i64')), 'i32');

/** The i64 of two words, low first. */
function join(lowWord: Scalar, highWord: Scalar): Scalar {
  const unsigned = apply('and', cast(lowWord, 'i64'), constant(0xffffffff, 'i64'));
  return apply('or', apply('shl', cast(highWord, 'i64'), constant(32, 'i64')), unsigned);
}

const [k0, k1, third] = [0, 1, 2].map((index) => argument(index, 'i64')) as [Scalar, Scalar, Scalar];

const blockWords = (block: Scalar): Words => philox([low(block), high(block), low(k1), high(k1)], [low(k0), high(k0)]);

/** The four random words i32 of a block; arguments: the key's words and the block, all i64. */
export const randomBlock: Words = blockWords(third);

/** What `random_bits` holds at a row-major position: 32 random bits as i32. Arguments: the key's words and the position, all i64. */
export const randomBits: Scalar = selectWord(
  blockWords(apply('shr', third, constant(2, 'i64'))),
  low(apply('and', third, constant(3, 'i64'))),
);

/** The word at a position from 0 to 3. */
function selectWord([w0, w1, w2, w3]: Words, at: Scalar): Scalar {
  const isBelow = (n: number) => compare('lt', at, word(n));
  return select(isBelow(2), select(isBelow(1), w0, w1), select(isBelow(3), w2, w3));
}

/** The two words i64 of a key folded with data. Arguments: the key's words and the data, all i64. */
export const foldInBits: readonly [Scalar, Scalar] = foldIn();

function foldIn(): readonly [Scalar, Scalar] {
  const key = [low(k0), xor(high(k0), word(0x666f6c64))] as const;
  const [w0, w1, w2, w3] = philox([low(third), high(third), low(k1), high(k1)], key);
  return [join(w0, w1), join(w2, w3)];
}
