// The state of a session: tensors that are views of one arena, as nested objects and by path.

import { viewOf } from './dtype.js';
import { TdslError } from './errors.js';
import type { Manifest, ManifestLeaf, Structure } from './manifest.js';
import { elementCount, sameShape } from './shape.js';
import { describeTensor, Tensor } from './tensor.js';

/** The tensors of the state over an arena, in the manifest's order. What is written to them is what the next call reads. */
export function viewState(manifest: Manifest, arena: Uint8Array): Tensor[] {
  return manifest.state.leaves.map(({ dtype, shape, offset }) => {
    const data = viewOf(dtype, arena.buffer, arena.byteOffset + offset, elementCount(shape));
    return new Tensor(dtype, shape, data);
  });
}

/** Hyper-parameters and counters: state of rank 0, which reads and writes as a number. */
const isNumber = ({ role, shape }: ManifestLeaf): boolean => role === 'state' && shape.length === 0;

/** Copies a tensor into the state; `path` is for the message. */
function assign(leaf: Tensor, value: Tensor, path: string): void {
  if (value.dtype !== leaf.dtype || !sameShape(value.shape, leaf.shape)) {
    throw new TdslError(
      'TDSL_SHAPE',
      `${path} is ${describeTensor(leaf)}, it cannot be set to ${describeTensor(value)}`,
    );
  }
  leaf.copyFrom(value);
}

/**
 * Defines one property of a state tree. Reading a leaf gives the tensor over the arena, or a number for a hyper-parameter;
 * writing to it copies into the arena. `check` runs before each write.
 */
function defineLeaf(owner: object, key: string, leaf: Tensor, spec: ManifestLeaf, check: () => void): void {
  const { path } = spec;
  Object.defineProperty(owner, key, {
    enumerable: true,
    get: isNumber(spec) ? () => leaf.item() : () => leaf,
    set: (value: unknown) => {
      check();
      if (value instanceof Tensor) assign(leaf, value, path);
      else if (isNumber(spec) && (typeof value === 'number' || typeof value === 'boolean')) leaf.fill(value);
      else
        throw new TdslError(
          'TDSL_ARG',
          `${path} is ${describeTensor(leaf)}; it can be set to such a tensor${isNumber(spec) ? ' or a number' : ''}`,
        );
    },
  });
}

/** Defines the state trees of a model as properties of `owner`: `owner.net.fc1.weight`. */
export function defineState(
  owner: object,
  roots: Readonly<Record<string, Structure>>,
  leaves: readonly ManifestLeaf[],
  tensors: readonly Tensor[],
  check: () => void,
): void {
  const define = (target: object, key: string, structure: Structure): void => {
    switch (structure.kind) {
      case 'tensor':
        defineLeaf(target, key, tensors[structure.index]!, leaves[structure.index]!, check);
        return;
      case 'tuple':
      case 'list':
      case 'record': {
        const isRecord = structure.kind === 'record';
        const value: object = isRecord ? {} : [];
        const parts = Object.entries(isRecord ? structure.fields : structure.items);
        for (const [name, part] of parts) define(value, name, part);
        Object.defineProperty(target, key, { enumerable: true, value: Object.freeze(value) });
        return;
      }
      case 'dim':
        throw new TdslError('TDSL_ABI', 'the manifest has a bare dimension in the state');
    }
  };
  for (const [name, structure] of Object.entries(roots)) define(owner, name, structure);
}

/** One name of a leaf. */
export interface StateName {
  readonly path: string;
  /** The place of the leaf in the manifest's list. */
  readonly leaf: number;
}

/** The names of all leaves in the order of the trees: a leaf that is shared has several. */
export function namesOf({ roots }: Manifest['state']): StateName[] {
  const names: StateName[] = [];
  const visit = (path: string, structure: Structure): void => {
    if (structure.kind === 'tensor') {
      names.push({ path, leaf: structure.index });
    } else if (structure.kind !== 'dim') {
      const parts = Object.entries(structure.kind === 'record' ? structure.fields : structure.items);
      for (const [name, part] of parts) visit(`${path}.${name}`, part);
    }
  };
  for (const [name, structure] of Object.entries(roots)) visit(name, structure);
  return names;
}

/** What loading did not find, and what it had no place for. */
export interface LoadReport {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/**
 * Copies tensors by path into the state, all or none. With `strict`, the names must be exactly those of the state; a shared leaf may be given
 * under any of its names, or under several with equal values.
 */
export function loadInto(
  target: ReadonlyMap<string, Tensor>,
  source: Readonly<Record<string, Tensor>>,
  strict: boolean,
): LoadReport {
  const found = new Map<Tensor, Tensor>();
  const unexpected: string[] = [];
  for (const [name, value] of Object.entries(source)) {
    const leaf = target.get(name);
    if (!leaf) {
      unexpected.push(name);
      continue;
    }
    if (value.dtype !== leaf.dtype || !sameShape(value.shape, leaf.shape)) {
      throw new TdslError(
        'TDSL_SHAPE',
        `${name} is ${describeTensor(leaf)}, the value to load is ${describeTensor(value)}`,
      );
    }
    const other = found.get(leaf);
    if (other && !other.equals(value)) {
      throw new TdslError('TDSL_VALUE', `${name} is shared, but the values to load for its names differ`);
    }
    found.set(leaf, value);
  }
  const missing = [...target].filter(([, leaf]) => !found.has(leaf)).map(([name]) => name);
  if (strict && (missing.length > 0 || unexpected.length > 0)) {
    const list = (what: string, names: readonly string[]) => (names.length > 0 ? [`${what}: ${names.join(', ')}`] : []);
    const text = [...list('missing', missing), ...list('not part of the state', unexpected)].join('; ');
    throw new TdslError(
      'TDSL_ARG',
      `the names do not match the state; ${text}; load with { strict: false } to take what fits`,
    );
  }
  for (const [leaf, value] of found) leaf.copyFrom(value);
  return { missing, unexpected };
}
