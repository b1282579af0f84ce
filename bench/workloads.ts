// What is timed, as data: a function of a program in bench/models, its inputs, and how much work it is at least.

export interface InputSpec {
  readonly name: string;
  readonly dtype: 'f32' | 'i64';
  readonly shape: readonly number[];
  /** Of integers: the first that does not occur. */
  readonly below?: number;
}

export type PeerName = 'numpy' | 'torch' | 'onnxruntime' | 'tfjs';

export interface Workload {
  readonly suite: string;
  /** Unique, and the name of the row. */
  readonly name: string;
  /** The file in bench/models without `.td`; peers know models by the same name. */
  readonly model: string;
  readonly fn: string;
  /** The sizes of the run-time dimensions; a second build fixes them. */
  readonly dims: Readonly<Record<string, number>>;
  readonly inputs: readonly InputSpec[];
  readonly peers: readonly PeerName[];
  /** Floating-point operations of products alone; the rest could be hidden behind them. */
  readonly flops: number;
  /** Bytes that must move between the caches and memory where the work is too large for them; 0 where it fits. */
  readonly bytes: number;
  /** What the issue aims at, peer ÷ ours, by the number of threads. */
  readonly target?: { readonly peer: PeerName | 'best'; readonly ratio: readonly [one: number, two: number] };
  /** Left out by --quick. */
  readonly slow?: boolean;
  /** A point of a cost curve: run only where its suite is named, and not built with fixed sizes. */
  readonly curve?: boolean;
  readonly note?: string;
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

const f32 = (name: string, ...shape: number[]): InputSpec => ({ name, dtype: 'f32', shape });
const labels = (name: string, below: number, ...shape: number[]): InputSpec => ({ name, dtype: 'i64', shape, below });

function matmul(n: number): Workload {
  return {
    suite: 'matmul',
    name: `matmul ${n}`,
    model: 'matmul',
    fn: 'matmul',
    dims: { n },
    inputs: [f32('a', n, n), f32('b', n, n)],
    peers: ['numpy', 'torch', 'onnxruntime', 'tfjs'],
    flops: 2 * n ** 3,
    bytes: 0,
    target: { peer: 'numpy', ratio: n <= 512 ? [1, 1] : [0.97, 0.95] },
    slow: n > 1024,
  };
}

/** The operations of a layer: of its product forwards, and of its gradients by the weight and, unless it is the first, by the input. */
interface LayerWork {
  readonly forward: number;
  readonly step: number;
}

/** A product of `outputs` elements, each a sum of `terms`. */
const layer = (outputs: number, terms: number, first = false): LayerWork => ({
  forward: 2 * outputs * terms,
  step: (first ? 4 : 6) * outputs * terms,
});

const total = (layers: readonly LayerWork[], pass: keyof LayerWork): number =>
  layers.reduce((sum, work) => sum + work[pass], 0);

interface Network {
  readonly suite: string;
  readonly model: string;
  readonly name: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly x: InputSpec;
  readonly y: InputSpec;
  readonly layers: readonly LayerWork[];
}

function step(network: Network, ratio: readonly [number, number] | undefined, more: Partial<Workload> = {}): Workload {
  const { suite, model, name, dims, x, y, layers } = network;
  return {
    ...{ suite, model, dims, bytes: 0, ...more },
    name: `${name} step`,
    fn: 'step',
    inputs: [x, y],
    peers: ['torch'],
    flops: total(layers, 'step'),
    ...(ratio === undefined ? {} : { target: { peer: 'torch', ratio } }),
  };
}

function forward(
  network: Network,
  ratio: readonly [number, number] | undefined,
  more: Partial<Workload> = {},
): Workload {
  const { suite, model, name, dims, x, layers } = network;
  return {
    ...{ suite, model, dims, bytes: 0, ...more },
    name: `${name} forward`,
    fn: 'forward',
    inputs: [x],
    peers: ['torch', 'onnxruntime', ...(more.peers ?? [])],
    flops: total(layers, 'forward'),
    ...(ratio === undefined ? {} : { target: { peer: 'onnxruntime', ratio } }),
  };
}

const mlp = (batch: number, model = 'mlp'): Network => ({
  suite: 'mlp',
  model,
  name: `${model === 'mlp' ? 'MLP' : 'plain MLP'} b${batch}`,
  dims: { B: batch },
  x: f32('x', batch, 784),
  y: labels('y', 10, batch),
  layers: [layer(batch * 256, 784, true), layer(batch * 10, 256)],
});

const lenet: Network = {
  suite: 'lenet',
  model: 'lenet',
  name: 'LeNet b64',
  dims: { B: 64 },
  x: f32('x', 64, 1, 28, 28),
  y: labels('y', 10, 64),
  layers: [
    layer(64 * 6 * 28 * 28, 25, true),
    layer(64 * 16 * 10 * 10, 6 * 25),
    layer(64 * 120, 400),
    layer(64 * 84, 120),
    layer(64 * 10, 84),
  ],
};

const vgg: Network = {
  suite: 'vgg',
  model: 'vgg',
  name: 'VGG-like b32',
  dims: { B: 32 },
  x: f32('x', 32, 3, 32, 32),
  y: labels('y', 10, 32),
  layers: [
    layer(32 * 32 * 1024, 27, true),
    layer(32 * 32 * 1024, 32 * 9),
    layer(32 * 64 * 256, 32 * 9),
    layer(32 * 64 * 256, 64 * 9),
    layer(32 * 256, 4096),
    layer(32 * 10, 256),
  ],
};

const gptBlock = [
  layer(1024 * 384, 128),
  layer(16 * 4 * 64 * 64, 32),
  layer(16 * 4 * 64 * 32, 64),
  layer(1024 * 128, 128),
  layer(1024 * 512, 128),
  layer(1024 * 128, 512),
];
const gpt: Network = {
  suite: 'gpt',
  model: 'gpt',
  name: 'GPT 4x128 b16 t64',
  dims: { B: 16, T: 64 },
  x: labels('x', 65, 16, 64),
  y: labels('y', 65, 16, 64),
  layers: [...gptBlock, ...gptBlock, ...gptBlock, ...gptBlock, layer(1024 * 65, 128)],
};

const lstm: Network = {
  suite: 'lstm',
  model: 'lstm',
  name: 'LSTM 128 b32 t64',
  dims: { B: 32, T: 64 },
  x: f32('x', 64, 32, 128),
  y: f32('y', 64, 32, 128),
  layers: [layer(64 * 32 * 512, 128, true), layer(64 * 32 * 512, 128), layer(64 * 32 * 128, 128)],
};

function resnetLayers(batch: number): LayerWork[] {
  const layers = [layer(batch * 64 * 112 * 112, 3 * 49, true)];
  let inputs = 64;
  [64, 64, 128, 128, 256, 256, 512, 512].forEach((outputs) => {
    const side = (56 * 64) / outputs;
    const pixels = batch * outputs * side * side;
    layers.push(layer(pixels, inputs * 9), layer(pixels, outputs * 9));
    if (inputs !== outputs) layers.push(layer(pixels, inputs));
    inputs = outputs;
  });
  layers.push(layer(batch * 1000, 512));
  return layers;
}

const resnet: Network = {
  suite: 'resnet',
  model: 'resnet',
  name: 'ResNet-18 b8 224²',
  dims: { B: 8 },
  x: f32('x', 8, 3, 224, 224),
  y: labels('y', 1000, 8),
  layers: resnetLayers(8),
};

const elements = 4 * 1024 * 1024;

export const workloads: readonly Workload[] = [
  ...[64, 128, 256, 512, 1024, 2048].map(matmul),
  {
    suite: 'memory',
    name: 'tanh(2x+1)·x−0.5 on 4M',
    model: 'memory',
    fn: 'chain',
    dims: { n: elements },
    inputs: [f32('x', elements)],
    peers: ['torch', 'onnxruntime', 'tfjs'],
    flops: 0,
    bytes: 8 * elements,
    target: { peer: 'best', ratio: [8, 5] },
  },
  {
    suite: 'memory',
    name: 'softmax 4096x1024',
    model: 'memory',
    fn: 'rows',
    dims: { m: 4096, n: 1024 },
    inputs: [f32('x', 4096, 1024)],
    peers: ['torch', 'onnxruntime', 'tfjs'],
    flops: 0,
    bytes: 8 * elements,
    target: { peer: 'best', ratio: [1.6, 1.3] },
  },
  step(mlp(256), [1.2, 1.8]),
  step(mlp(32), [2.2, 2.8]),
  step(mlp(256, 'plain_mlp'), undefined),
  step(mlp(32, 'plain_mlp'), undefined),
  forward(mlp(256), undefined),
  step(lenet, [3.2, 4]),
  forward(lenet, [2.2, 1.1]),
  step(vgg, [1.6, 1.9]),
  forward(vgg, [1, 1]),
  step(gpt, [1.7, 2.2]),
  forward(gpt, [1.1, 1]),
  step(lstm, [2, 2]),
  forward(resnet, [0.95, 0.95], { slow: true }),
  step(resnet, [1.3, 1.3], { slow: true }),
];

/** Sizes of a curve: powers of two, and what lies beside them, where code for whole panels ends. */
const CURVE_SIZES = [1, 2, 3, 4, 7, 8, 9, 16, 17, 32, 33, 64, 65, 128, 129, 256, 512, 1024];

/** Time against batch, width and depth: it should grow evenly, without cliffs. */
export const curves: readonly Workload[] = [
  ...CURVE_SIZES.map((batch): Workload => {
    const work = forward(mlp(batch, 'plain_mlp'), undefined);
    return { ...work, suite: 'curves', name: `batch ${batch} of plain MLP forward`, peers: [], curve: true };
  }),
  ...[8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 200, 255, 256, 257, 500, 512].map(
    (n): Workload => ({ ...matmul(n), suite: 'curves', name: `width ${n} of matmul`, peers: [], curve: true }),
  ),
  ...[1, 2, 4, 8, 16, 32].map(
    (depth): Workload => ({
      suite: 'curves',
      name: `depth ${depth} of steps`,
      model: 'deep',
      fn: `depth_${depth}`,
      dims: { B: 32 },
      inputs: [f32('x', 32, 128), f32('y', 32, 128)],
      peers: [],
      flops: (6 * depth - 2) * 32 * 128 * 128,
      bytes: 0,
      curve: true,
    }),
  ),
];

export const elementCount = (shape: readonly number[]): number => product(shape);

/** The values of an input, from a fixed sequence: what is timed must not depend on chance. */
export function inputData({ dtype, shape, below }: InputSpec): Float32Array | BigInt64Array {
  const count = elementCount(shape);
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return dtype === 'f32'
    ? Float32Array.from({ length: count }, () => 2 * next() - 1)
    : BigInt64Array.from({ length: count }, () => BigInt(Math.floor(next() * (below ?? 1))));
}
