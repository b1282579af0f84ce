// The hand-written sample model (sample_model.c) as the compiler would deliver it: sources, manifest, built addon.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildResult, buildAddon } from '../../codegen/build/index.js';
import { packageRoot } from '../../codegen/build/places.js';
import type { Addon } from '../../runtime/addon.js';
import { DTYPES, type DType } from '../../runtime/dtype.js';
import { defineModel, type Model } from '../../runtime/load.js';
import {
  MANIFEST_FORMAT,
  type Manifest,
  type ManifestEntry,
  type ManifestTensor,
  type Structure,
} from '../../runtime/manifest.js';
import type { AsyncMethod, Method } from '../../runtime/method.js';
import type { Session } from '../../runtime/session.js';
import type { Tensor } from '../../runtime/tensor.js';

const root = packageRoot();

/** Objects and addons of the tests stay between runs, and out of the user's cache. */
process.env.TDSL_CACHE_DIR ??= path.join(root, '.cache', 'tdsl');

export const sampleSource = (): string => readFileSync(path.join(root, 'tests', 'native', 'sample_model.c'), 'utf8');

const tensor = (index: number): Structure => ({ kind: 'tensor', index });
const input = (path: string, dtype: DType, ...dims: (number | string)[]): ManifestTensor => ({
  path,
  role: 'in',
  dtype,
  dims,
});
const output = (path: string, dtype: DType, ...dims: (number | string)[]): ManifestTensor => ({
  path,
  role: 'out',
  dtype,
  dims,
});

/** An entry whose parameters are plain tensors, one after the other, unless `rest` says otherwise. */
function entry(
  name: string,
  symbols: ManifestEntry['symbols'],
  tensors: ManifestTensor[],
  rest: Partial<ManifestEntry> = {},
): ManifestEntry {
  const params = tensors
    .filter(({ role }) => role === 'in')
    .map(({ path }, i) => ({ name: path, structure: tensor(i) }));
  const result = tensors.length > params.length ? tensor(params.length) : null;
  return { name, hidden: false, symbols, tensors, params, result, state: { reads: [], writes: [] }, ...rest };
}

const dtypes = Object.keys(DTYPES) as DType[];
const B = { name: 'B', min: 0, max: 1024 };
const open = (name: string, min = 0) => ({ name, min, max: null });
const predict = [input('x', 'f32', 'B', 4), output('result', 'f32', 'B', 3)];

export const manifest: Manifest = {
  format: MANIFEST_FORMAT,
  name: 'sample',
  tdsl: '0.1.0',
  sourceHash: '5a3b1e',
  target: 'c',
  entries: [
    entry('init', [], [input('key', 'i64', 2)], { hidden: true }),
    entry('predict', [B], predict),
    entry('train_step', [B], [input('x', 'f32', 'B', 4), input('y', 'i64', 'B'), output('result', 'f32')]),
    entry(
      'window',
      [open('n'), open('m', 1)],
      [
        input('pair.x', 'f32', 'n'),
        input('pair.k', 'f32', 'm'),
        output('result.out', 'f32', 'n - m + 1'),
        output('result.size', 'i64'),
      ],
      {
        params: [{ name: 'pair', structure: { kind: 'record', fields: { x: tensor(0), k: tensor(1) } } }],
        result: { kind: 'record', fields: { out: tensor(2), size: tensor(3) } },
      },
    ),
    entry('total', [open('n')], [input('x', 'f64', 'n'), output('result', 'f64')]),
    entry('halve', [], [input('x', 'f64'), output('result.0', 'f64'), output('result.1', 'i64')], {
      result: { kind: 'tuple', items: [tensor(1), tensor(2)] },
    }),
    entry(
      'echo',
      [],
      [
        ...dtypes.map((dtype, i) => input(`xs.${i}`, dtype, 2)),
        ...dtypes.map((dtype, i) => output(`result.${i}`, dtype, 2)),
      ],
      {
        params: [{ name: 'xs', structure: { kind: 'list', items: dtypes.map((_, i) => tensor(i)) } }],
        result: { kind: 'list', items: dtypes.map((_, i) => tensor(10 + i)) },
      },
    ),
    entry('nap', [{ name: 'ms', min: 0, max: 1000 }], [], {
      params: [{ name: 'ms', structure: { kind: 'dim', symbol: 0 } }],
    }),
    entry('predict', [B], predict, { hidden: true }),
  ],
  methods: [
    { name: 'predict', jsName: 'predict', entry: 1, variants: { train: 8, eval: 1 } },
    { name: 'train_step', jsName: 'trainStep', entry: 2 },
    { name: 'window', jsName: 'window', entry: 3 },
    { name: 'total', jsName: 'total', entry: 4 },
    { name: 'halve', jsName: 'halve', entry: 5 },
    { name: 'echo', jsName: 'echo', entry: 6 },
    { name: 'nap', jsName: 'nap', entry: 7 },
  ],
  initEntry: 0,
  state: {
    bytes: 320,
    leaves: [
      { path: 'net.weight', role: 'param', dtype: 'f32', shape: [4, 3], offset: 0, bytes: 48 },
      { path: 'net.mean', role: 'buffer', dtype: 'f32', shape: [3], offset: 64, bytes: 12 },
      { path: 'opt.lr', role: 'state', dtype: 'f32', shape: [], offset: 128, bytes: 4 },
      { path: 'opt.steps', role: 'state', dtype: 'i64', shape: [], offset: 192, bytes: 8 },
      { path: 'rng', role: 'key', dtype: 'i64', shape: [2], offset: 256, bytes: 16 },
    ],
    models: [],
    roots: {
      net: {
        kind: 'record',
        fields: { weight: tensor(0), mean: tensor(1), head: { kind: 'record', fields: { weight: tensor(0) } } },
      },
      opt: { kind: 'record', fields: { lr: tensor(2), steps: tensor(3) } },
      rng: tensor(4),
    },
  },
  stages: {},
};

type Input = Tensor | ArrayBufferView | number | boolean | readonly unknown[];

/** What the bindings of the sample would declare. */
export interface SampleSession extends Session {
  readonly net: {
    weight: Tensor<'f32'>;
    readonly mean: Tensor<'f32'>;
    readonly head: { readonly weight: Tensor<'f32'> };
  };
  readonly opt: { lr: number; steps: number };
  readonly rng: Tensor<'i64'>;
  readonly predict: Method<{ x: Input }, Tensor<'f32', ['B', 3]>>;
  readonly predictAsync: AsyncMethod<{ x: Input }, Tensor<'f32', ['B', 3]>>;
  readonly trainStep: Method<{ x: Input; y: Input }, Tensor<'f32', []>>;
  readonly trainStepAsync: AsyncMethod<{ x: Input; y: Input }, Tensor<'f32', []>>;
  readonly window: Method<{ pair: { x: Input; k: Input } }, { out: Tensor<'f32'>; size: Tensor<'i64', []> }>;
  readonly total: Method<{ x: Input }, Tensor<'f64', []>>;
  readonly totalAsync: AsyncMethod<{ x: Input }, Tensor<'f64', []>>;
  readonly halve: Method<{ x: Input }, [Tensor<'f64', []>, Tensor<'i64', []>]>;
  readonly echo: Method<{ xs: Input[] }, Tensor[]>;
  readonly nap: Method<{ ms: number }, void>;
  readonly napAsync: AsyncMethod<{ ms: number }, void>;
}

/** Builds the sample, or takes the addon of an earlier run. */
export function buildSample(): Promise<BuildResult> {
  const outDir = path.join(root, '.cache', 'tests', 'sample');
  return buildAddon({ name: 'sample', sources: new Map([['model.c', sampleSource()]]), outDir });
}

/** The sample's native module without the session around it. */
export async function loadSampleAddon(): Promise<Addon> {
  return createRequire(import.meta.url)((await buildSample()).file) as Addon;
}

/** The sample as `index.js` of a compiled module would define it. */
export async function loadSample(changed: Partial<Manifest> = {}): Promise<Model<SampleSession>> {
  const { file } = await buildSample();
  return defineModel<SampleSession>({ manifest: { ...manifest, ...changed }, addonUrl: pathToFileURL(file) });
}
