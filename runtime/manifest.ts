// The manifest of a compiled module: what the host knows about a model beyond the C ABI's tables. The compiler's bindings write it beside
// the native addon as JSON; the session reads it. Names of arguments, record fields and state are those of the program, unchanged; only
// methods are renamed to camel case.

import type { DType } from './dtype.js';

/** The format that this runtime reads and writes. */
export const MANIFEST_FORMAT = 2;

/**
 * How flat leaves make up a value: a tensor by its index in the list of leaves (an entry's `tensors`, or the state's `leaves`), a run-time
 * dimension by its index in the entry's `symbols` (arguments only), or a composition.
 */
export type Structure =
  | { readonly kind: 'tensor'; readonly index: number }
  | { readonly kind: 'dim'; readonly symbol: number }
  | { readonly kind: 'tuple'; readonly items: readonly Structure[] }
  | { readonly kind: 'list'; readonly items: readonly Structure[] }
  | {
      readonly kind: 'record';
      /** The name of the model or record type, for messages and types. */
      readonly type?: string;
      readonly fields: { readonly [name: string]: Structure };
    };

/** A run-time dimension of an entry. */
export interface ManifestSymbol {
  readonly name: string;
  readonly min: number;
  /** Inclusive; null where the program states no bound. */
  readonly max: number | null;
}

/** A tensor that an entry takes or returns. */
export interface ManifestTensor {
  /** `x`, `batch.images`, `pair.0`; results are `result`, `result.0`, `result.loss`. */
  readonly path: string;
  readonly role: 'in' | 'out';
  readonly dtype: DType;
  /** A fixed size, the name of a symbol of the entry, or an expression in symbols such as `H - K + 1`, which native code evaluates. */
  readonly dims: readonly (number | string)[];
}

/** A parameter of an exported function that the caller passes; parameters that are state do not appear. */
export interface ManifestParameter {
  readonly name: string;
  readonly structure: Structure;
}

/** One native entry point. The list is parallel to the native table: an entry's number is its place. */
export interface ManifestEntry {
  readonly name: string;
  /** True for entries that are no methods of their own, such as `init`. */
  readonly hidden: boolean;
  readonly symbols: readonly ManifestSymbol[];
  /** Inputs first, outputs after them, in native order. */
  readonly tensors: readonly ManifestTensor[];
  readonly params: readonly ManifestParameter[];
  /** Null where the function returns nothing. */
  readonly result: Structure | null;
  /** Paths of the state leaves that the entry reads, and of those that it writes. */
  readonly state: { readonly reads: readonly string[]; readonly writes: readonly string[] };
  /** Equalities of sizes that made two dimensions one: what is said where arguments do not agree on a dimension that occurs in them. */
  readonly equalities?: readonly { readonly symbols: readonly string[]; readonly text: string }[];
  /** What the workspace does not exceed in bytes, as a formula in the symbols, for people. */
  readonly workspace?: string;
}

/** A method of a session. */
export interface ManifestMethod {
  /** The name in the program, and the camel-case name in JavaScript. */
  readonly name: string;
  readonly jsName: string;
  readonly doc?: string;
  /** The entry that runs unless the session was put into a mode for which there is a variant. */
  readonly entry: number;
  /** The entries for `session.train()` and `session.eval()`, where the program was compiled for both. */
  readonly variants?: { readonly train: number; readonly eval: number };
}

/** One tensor of the state arena. */
export interface ManifestLeaf {
  /** `net.fc1.weight` */
  readonly path: string;
  readonly role: 'param' | 'buffer' | 'state' | 'key';
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

/** A model or a collection of models in the state, under one of its names. */
export interface ManifestModel {
  /** `net.fc1` */
  readonly path: string;
  /** The name of its type: `Linear`, `ModuleList`. */
  readonly model: string;
  /** What it prints between its brackets besides its parts: `in_features=2, out_features=1, bias=True`. */
  readonly text: string;
  /** Where the model has another name before this one. */
  readonly shared?: true;
}

/** The state of a session. */
export interface ManifestState {
  /** Of the arena; a multiple of 64. */
  readonly bytes: number;
  readonly leaves: readonly ManifestLeaf[];
  /** The trees by name (`net`, `opt`, `rng`); a leaf that occurs twice is shared, as a tied weight is. */
  readonly roots: { readonly [name: string]: Structure };
  /** The models of the trees, each before its parts, in the order of the declarations. */
  readonly models: readonly ManifestModel[];
}

/** The text of the IR after each pass, by the pass's name, in order. */
export interface Stages {
  readonly [pass: string]: string;
}

/** Everything about one compiled module. */
export interface Manifest {
  readonly format: typeof MANIFEST_FORMAT;
  /** The model's name and the version of tdsl that compiled it. */
  readonly name: string;
  readonly tdsl: string;
  /** Of the program and the options; equal to the `source_hash` of the native module. */
  readonly sourceHash: string;
  readonly target: 'c' | 'cuda';
  readonly entries: readonly ManifestEntry[];
  readonly methods: readonly ManifestMethod[];
  /** The entry that fills the state from a key, an i64[2]; null for a module without state. */
  readonly initEntry: number | null;
  readonly state: ManifestState;
  /** What the program was after each pass; read from a file of its own when it is asked for. */
  readonly stages: Stages;
}
