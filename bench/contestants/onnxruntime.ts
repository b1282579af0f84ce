// The contestant ONNX Runtime (onnxruntime-node), on models that PyTorch exported.

import { createRequire } from 'node:module';
import path from 'node:path';
import { inputData } from '../workloads.js';
import { serve } from './protocol.js';

/** The part of the package that is used: it is not a dependency, so its types are not there. */
interface OnnxRuntime {
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) => object;
  readonly InferenceSession: {
    create(
      file: string,
      options: object,
    ): Promise<{ readonly inputNames: readonly string[]; run(feeds: Record<string, object>): Promise<unknown> }>;
  };
}

let version = '';

await serve({
  version: () => version,
  load: async (workload, threads, files) => {
    const require = createRequire(path.join(files.peers ?? '', 'package.json'));
    const { InferenceSession, Tensor } = require('onnxruntime-node') as OnnxRuntime;
    version = (require('onnxruntime-node/package.json') as { version: string }).version;
    const session = await InferenceSession.create(files.onnx ?? '', {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
    });
    const feeds = Object.fromEntries(
      workload.inputs.map((input, i) => [
        session.inputNames[i] ?? input.name,
        new Tensor(input.dtype === 'f32' ? 'float32' : 'int64', inputData(input), input.shape),
      ]),
    );
    return () => session.run(feeds);
  },
});
