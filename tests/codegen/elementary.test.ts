// Elementary functions as vector code: in every width of vectors, and in the tails, they give the bits of the interpreter, whose errors
// tests/compiler/scalar measures; f16 and bf16 are those bits rounded. The operands cover all exponents of f32, and what is special.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cpusOf } from '../../codegen/build/target.js';
import { dimSymbol } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import { roundElements } from '../../compiler/ir/evaluate/tensor.js';
import type { Elementary } from '../../compiler/scalar/function.js';
import { elementaryFunctions } from '../../compiler/scalar/index.js';
import { fromBF16Bits, fromF16Bits } from '../../runtime/dtype.js';
import { operandsF32, operandsF64 } from '../support/elementary-operands.js';
import { sampledFunction } from '../support/scalar.js';
import { type Compiled, compile, define, programOf, runnableCpus } from './support.js';

const test = suite('elementary');
test.after.each(() => {
  delete process.env.TDSL_CPU;
});

const dtypes = ['f32', 'f64', 'f16', 'bf16'] as const;
type Float = (typeof dtypes)[number];

const program = programOf(
  elementaryFunctions.flatMap(({ name, arity }) =>
    dtypes.map((dtype) =>
      define(`${name}_${dtype}`, (b) => {
        const params = Array.from({ length: arity }, (_, i) => b.param(`x${i}`, { dtype, shape: [dimSymbol('n')] }));
        return [b.elementwise(name, params)];
      }),
    ),
  ),
);

const tensor = (dtype: DType, values: readonly number[]) => ({
  dtype,
  shape: [values.length],
  data: dtype === 'f64' ? Float64Array.from(values) : Float32Array.from(values),
});

function run(compiled: Compiled, fn: Elementary, dtype: Float, operands: readonly (readonly number[])[]): number[] {
  const inputs = operands.map((list) => tensor(dtype, list));
  const [result] = compiled.run(`${fn.name}_${dtype}`, inputs, new Map([['n', operands[0]?.length ?? 0]]));
  return Array.from(result?.data as Float32Array);
}

/** All values of a narrow dtype; for functions of two operands each beside others. */
function allPatterns(dtype: 'f16' | 'bf16', arity: number): number[][] {
  const decode = dtype === 'f16' ? fromF16Bits : fromBF16Bits;
  return Array.from({ length: arity }, (_, i) =>
    Array.from({ length: 65536 }, (_, at) => decode((at * (1 + 2 * i)) & 0xffff)),
  );
}

const operandsOf = (fn: Elementary, dtype: Float): readonly (readonly number[])[] => {
  if (dtype === 'f32') return operandsF32(fn);
  return dtype === 'f64' ? operandsF64(fn) : allPatterns(dtype, fn.arity);
};

function expected(fn: Elementary, dtype: Float, operands: readonly (readonly number[])[]): readonly number[] {
  if (dtype === 'f32' || dtype === 'f64') return sampledFunction(fn[dtype])(...operands);
  const rounded = Float32Array.from(sampledFunction(fn.f32)(...operands));
  roundElements(dtype, rounded);
  return Array.from(rounded);
}

function assertSame(
  actual: readonly number[],
  wanted: readonly number[],
  operands: readonly (readonly number[])[],
  what: string,
): void {
  const at = wanted.findIndex((value, i) => !Object.is(value, actual[i]));
  if (at >= 0) {
    const point = operands.map((list) => list[at]).join(', ');
    assert.unreachable(`${what}(${point}) is ${actual[at]}, the interpreter has ${wanted[at]}`);
  }
}

const first = await compile(program, { cpus: cpusOf('portable') });

for (const fn of elementaryFunctions) {
  test(fn.name, () => {
    for (const dtype of dtypes) {
      const operands = operandsOf(fn, dtype);
      const wanted = expected(fn, dtype, operands);
      for (const cpu of runnableCpus()) {
        process.env.TDSL_CPU = cpu;
        const compiled = first.again();
        const what = `${fn.name}_${dtype} on ${cpu}`;
        assertSame(run(compiled, fn, dtype, operands), wanted, operands, what);
        // No vector, parts of one, and ends of the last one.
        for (let n = 0; n <= 37; n++) {
          const few = operands.map((list) => list.slice(0, n));
          assertSame(run(compiled, fn, dtype, few), wanted.slice(0, n), few, `${what}, ${n} elements`);
        }
      }
    }
  });
}

test.run();
