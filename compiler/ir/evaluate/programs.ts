// The compiled scalar programs of one interpreter, by operation and dtypes, so that each is compiled once.

import { elementwiseOp, reduceOp, scanOp, sortOp } from '../../ops/table.js';
import { foldInBits, randomBlock } from '../../scalar/philox.js';
import { type DType, isFloat } from '../dtype.js';
import { argument, type Scalar } from '../scalar.js';
import { compileScalars, type ScalarProgram } from './scalar/compile.js';

/** A fold: `init` once, then `step` for each element (state…, element, position) and `finish` (state…). */
export interface FoldProgram {
  /** The dtype in which elements are folded, and that of each part of the state. */
  readonly element: DType;
  readonly state: readonly DType[];
  /** The dtypes of the results that `finish` computes. */
  readonly results: readonly DType[];
  readonly init: ScalarProgram;
  readonly step: ScalarProgram;
  readonly finish: ScalarProgram;
}

export class Programs {
  readonly #scalars = new Map<string, ScalarProgram>();
  readonly #folds = new Map<string, FoldProgram>();

  #cached<T>(cache: Map<string, T>, key: string, make: () => T): T {
    const known = cache.get(key) ?? make();
    cache.set(key, known);
    return known;
  }

  /** The value of an elementwise operation on operands of these dtypes. `target` is that of a cast. */
  elementwise(op: string, dtypes: readonly DType[], target: DType | undefined): ScalarProgram {
    return this.#cached(this.#scalars, `${op}(${dtypes.join()}) ${target ?? ''}`, () => {
      const record = elementwiseOp(op);
      const common = dtypes.find((_, i) => record.fixed?.[i] === undefined) ?? (dtypes[0] as DType);
      const args = dtypes.map((dtype, i) => argument(i, dtype));
      return compileScalars([record.value(args, common, target)], dtypes);
    });
  }

  /**
   * The fold of a reduction or an order operation. Folds of narrow floats run in f64, so that a sum of f32 is rounded once, at
   * the end: the reference does not depend on the order of summation up to the last bit, as those of backends do.
   */
  fold(kind: 'reduce' | 'order', op: string, dtype: DType): FoldProgram {
    return this.#cached(this.#folds, `${kind} ${op} ${dtype}`, () => {
      const record = kind === 'reduce' ? reduceOp(op) : scanOp(op);
      const element = isFloat(dtype) && record.accepts.includes('f64') ? 'f64' : dtype;
      const initial = record.init(element);
      const state = initial.map((scalar) => scalar.dtype);
      const parts = state.map((part, i): Scalar => argument(i, part));
      const next = record.step(parts, argument(state.length, element), argument(state.length + 1, 'i64'));
      return {
        element,
        state,
        results: record.results(element),
        init: compileScalars(initial, []),
        step: compileScalars(next, [...state, element, 'i64']),
        finish: compileScalars(record.finish(parts, element), state),
      };
    });
  }

  /** The keys by which elements are sorted. */
  sortKey(op: string, dtype: DType, reverse: boolean): ScalarProgram {
    return this.#cached(this.#scalars, `key ${op} ${dtype} ${reverse}`, () =>
      compileScalars([sortOp(op).key(argument(0, dtype), reverse)], [dtype]),
    );
  }

  /** Four random words i32 of (key word 0, key word 1, block), all i64. */
  random(): ScalarProgram {
    return this.#cached(this.#scalars, 'random_bits', () => compileScalars(randomBlock, keyed));
  }

  /** The two words of a key of (key word 0, key word 1, data), all i64. */
  foldIn(): ScalarProgram {
    return this.#cached(this.#scalars, 'fold_in', () => compileScalars(foldInBits, keyed));
  }
}

const keyed = ['i64', 'i64', 'i64'] as const;
