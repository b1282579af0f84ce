// The random generator as calls of scalar functions, so that an emitted file holds its text once.

import { argument, callScalar, type Scalar, type ScalarFunction } from '../../../compiler/ir/scalar.js';
import { foldInBits, randomBits } from '../../../compiler/scalar/philox.js';

const params = ['i64', 'i64', 'i64'] as const;

const define = (name: string, body: Scalar, doc: string): ScalarFunction => ({ name, params, body, doc });

/** What `random_bits` holds at a position. Arguments: the key's words and the position. */
export const randomBitsFunction = define('random_bits', randomBits, 'Philox 4x32-10: 32 random bits for a position.');

/** The two words of a key folded with data. Arguments: the key's words and the data. */
export const foldInCalls: readonly Scalar[] = foldInBits.map((body, word) => {
  const fn = define(`fold_in_${word}`, body, `Word ${word} of a key folded with data, by Philox 4x32-10.`);
  return callScalar(fn, ...params.map((dtype, i) => argument(i, dtype)));
});
