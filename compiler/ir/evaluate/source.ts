// Sources in the interpreter: constants, counters, sizes and random bits.

import { dimEvaluate } from '../dims.js';
import type { NodeOf } from '../graph.js';
import type { Programs } from './programs.js';
import { blockSize, type ScalarProgram } from './scalar/compile.js';
import { strideOffsets } from './strides.js';
import type { Dims } from './symbols.js';
import { allocate, elementCount, type HostTensor, roundElements, storeNumbers } from './tensor.js';

export function evaluateSource(
  { source }: NodeOf<'source'>,
  inputs: readonly HostTensor[],
  shape: readonly number[],
  dims: Dims,
  programs: Programs,
): HostTensor {
  switch (source.type) {
    case 'constant': {
      const data = allocate(source.dtype, elementCount(shape));
      const [first] = source.data;
      if (source.data.length === 1 && first !== undefined) {
        const one = allocate(source.dtype, 1);
        storeNumbers(source.dtype, one, [first]);
        data.fill(one[0] as never);
      } else storeNumbers(source.dtype, data, source.data);
      return { dtype: source.dtype, shape: [...shape], data };
    }
    case 'iota': {
      const data = allocate(source.dtype, elementCount(shape));
      const counts = strideOffsets(
        shape,
        shape.map((_, dim) => (dim === source.dim ? 1 : 0)),
      );
      if (data instanceof BigInt64Array) for (let i = 0; i < data.length; i++) data[i] = BigInt(counts[i] as number);
      else data.set(counts);
      roundElements(source.dtype, data);
      return { dtype: source.dtype, shape: [...shape], data };
    }
    case 'size':
      return { dtype: 'i64', shape: [], data: BigInt64Array.of(BigInt(dimEvaluate(source.value, dims))) };
    case 'random_bits':
      return {
        dtype: 'i32',
        shape: [...shape],
        data: randomBits(inputs[0] as HostTensor, elementCount(shape), programs.random()),
      };
    case 'fold_in': {
      const [key, data] = inputs as readonly [HostTensor, HostTensor];
      return { dtype: 'i64', shape: [2], data: foldKey(key, data.data[0] as bigint, programs.foldIn()) };
    }
  }
}

function randomBits({ data: key }: HostTensor, count: number, program: ScalarProgram): Int32Array {
  const bits = new Int32Array(count);
  const [k0, k1, block] = program.args as readonly BigInt64Array[] as readonly [
    BigInt64Array,
    BigInt64Array,
    BigInt64Array,
  ];
  k0.fill(key[0] as bigint);
  k1.fill(key[1] as bigint);
  const blocks = Math.ceil(count / 4);
  for (let first = 0; first < blocks; first += blockSize) {
    const n = Math.min(blockSize, blocks - first);
    for (let i = 0; i < n; i++) block[i] = BigInt(first + i);
    program.run(n);
    program.outputs.forEach((words, word) => {
      // The last block may reach beyond the end; writes there are ignored.
      for (let i = 0; i < n; i++) bits[(first + i) * 4 + word] = words[i] as number;
    });
  }
  return bits;
}

function foldKey({ data: key }: HostTensor, data: bigint, program: ScalarProgram): BigInt64Array {
  [key[0], key[1], data].forEach((value, i) => {
    (program.args[i] as BigInt64Array)[0] = value as bigint;
  });
  program.run(1);
  return BigInt64Array.from(program.outputs, (output) => output[0] as bigint);
}
