// The native side of a compiled module, as the binding (native/binding.cc) exports it.

import type { DType, TypedArray } from './dtype.js';

/** The tables of the native code. */
export interface ModelDescription {
  readonly abiVersion: number;
  readonly name: string;
  readonly compiler: string;
  readonly sourceHash: string;
  readonly device: 'cpu' | 'cuda';
  /** The CPU features that the machine code needs, separated by spaces. */
  readonly cpuFeatures: string;
  readonly stateBytes: number;
  readonly entries: readonly {
    readonly name: string;
    readonly readsState: boolean;
    readonly writesState: boolean;
    readonly init: boolean;
    readonly symbols: readonly { readonly name: string; readonly min: number; readonly max: number | null }[];
    readonly args: readonly {
      readonly name: string;
      readonly role: 'in' | 'out';
      readonly dtype: DType;
      /** Null for a dimension that is an expression in the symbols. */
      readonly dims: readonly (number | string | null)[];
    }[];
  }[];
  readonly state: readonly {
    readonly path: string;
    readonly role: 'param' | 'buffer' | 'state' | 'key';
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly offset: number;
    readonly bytes: number;
  }[];
}

/** Memory of a GPU; only native code sees what it is. */
export interface DeviceMemory {
  readonly deviceMemory: unique symbol;
}

/** What a native call takes for a tensor. */
export type NativeArray = TypedArray | DeviceMemory;

/** An instance over a state arena. `symbols` are the values of the entry's symbols; arrays are inputs first, outputs after them. */
export interface NativeInstance {
  /** The shapes of all tensors of an entry; checks the symbols. */
  shape(entry: number, symbols: Float64Array): number[][];
  run(entry: number, symbols: Float64Array, ...arrays: NativeArray[]): void;
  /** Runs on another thread, after the asynchronous calls before it. The arrays must not be changed or transferred until then. */
  runAsync(entry: number, symbols: Float64Array, ...arrays: NativeArray[]): Promise<void>;
  /** A function that runs the entry again on the same arrays. */
  bind(entry: number, symbols: Float64Array, ...arrays: NativeArray[]): () => void;
  /** A copy of an array in the memory of the GPU, for models that run on one. */
  place(array: TypedArray): DeviceMemory;
  /** Copies memory of the GPU to an array of the same size. */
  fetch(memory: DeviceMemory, array: TypedArray): void;
  /** Whether the state stays on the GPU between calls; else each call takes it from the arena and puts it back. */
  keepState(on: boolean): void;
  /** Copies the state between the arena and the GPU. */
  copyState(toDevice: boolean): void;
  /** The number of asynchronous calls that are queued or running. */
  readonly pending: number;
}

/** A loaded native module. */
export interface Addon {
  describe(): ModelDescription;
  /** Null, or why this machine cannot run the model. */
  probe(): string | null;
  /** The offset of the first byte of a buffer that begins a line of the cache, as a state arena must. */
  alignedOffset(buffer: ArrayBuffer): number;
  /** `threads`: 0 for as many as there are cores. */
  create(options: { readonly state: Uint8Array; readonly threads: number }): NativeInstance;
}
