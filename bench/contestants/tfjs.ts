// The contestant TensorFlow.js with its WebAssembly backend, which has one thread in Node.

import { createRequire } from 'node:module';
import path from 'node:path';
import { inputData, type Workload } from '../workloads.js';
import { serve } from './protocol.js';

interface TfTensor {
  dataSync(): unknown;
  dispose(): void;
}

/** The part of the package that is used: it is not a dependency, so its types are not there. */
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  tensor(values: Float32Array, shape: readonly number[]): TfTensor;
  tidy(work: () => TfTensor): TfTensor;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
  softmax(x: TfTensor): TfTensor;
  tanh(x: TfTensor): TfTensor;
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  sub(a: TfTensor, b: TfTensor | number): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  readonly version_core: string;
}

function program(tf: TensorFlow, { fn }: Workload, inputs: readonly TfTensor[]): () => TfTensor {
  const [x, y] = inputs as [TfTensor, TfTensor];
  if (fn === 'matmul') return () => tf.matMul(x, y);
  if (fn === 'rows') return () => tf.softmax(x);
  if (fn === 'chain') return () => tf.sub(tf.mul(tf.tanh(tf.add(tf.mul(x, 2), 1)), x), 0.5);
  throw new Error(`tfjs has no ${fn}`);
}

let version = '';

await serve({
  version: () => version,
  load: async (workload, threads, files) => {
    if (threads > 1) throw new Error('one thread only');
    const require = createRequire(path.join(files.peers ?? '', 'package.json'));
    const tf = require('@tensorflow/tfjs-core') as TensorFlow;
    require('@tensorflow/tfjs-backend-wasm');
    version = tf.version_core;
    if (!(await tf.setBackend('wasm'))) throw new Error('the WebAssembly backend does not start');
    const inputs = workload.inputs.map((input) => tf.tensor(inputData(input) as Float32Array, input.shape));
    const work = program(tf, workload, inputs);
    return () => {
      const result = tf.tidy(work);
      // Operations of this backend have ended when they return.
      result.dispose();
    };
  },
});
