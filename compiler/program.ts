// A checked and lowered program: the graph module and what the entry points, the session state and the host need to know.
// The front end makes it, the passes transform its module, codegen and the interpreter consume it.

import type { Dim } from './ir/dims.js';
import type { DType } from './ir/dtype.js';
import type { Module, SourceSite, TensorType } from './ir/graph.js';

/**
 * How values of the language are built from tensors. `index` is a position in the flat list of the parameter or result it belongs to; `dim`,
 * of arguments alone, is a number that the host gives as the value of a run-time dimension.
 */
export type Structure =
  | { readonly kind: 'tensor'; readonly index: number; readonly type: TensorType }
  | { readonly kind: 'dim'; readonly symbol: string }
  | { readonly kind: 'tuple'; readonly items: readonly Structure[] }
  | { readonly kind: 'list'; readonly items: readonly Structure[] }
  | { readonly kind: 'record'; readonly fields: readonly { readonly name: string; readonly value: Structure }[] };

/** One tensor of the session state. Its shape is fixed at compile time. */
export interface StateLeaf {
  /** Dotted path from the parameter's name, for example `net.fc1.weight`; the hidden key is `key`. */
  readonly path: string;
  /** param: trained; buffer: updated by forward passes; state: optimizer moments and hyper-parameters; key: of the random generator. */
  readonly role: 'param' | 'buffer' | 'state' | 'key';
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * One line of the state as a tree, in the order of the models' declarations: a model with its name and what it prints besides its
 * parts, or a leaf under one of its names. A shared leaf occurs once for each name.
 */
export type StateEntry =
  | {
      readonly kind: 'model';
      readonly path: string;
      readonly model: string;
      readonly text: string;
      /** Where the model has another name before this one. */
      readonly shared?: true;
    }
  | { readonly kind: 'leaf'; readonly path: string; readonly leaf: number };

/** What a flat parameter of an entry's function is: an argument of the call, or a leaf of the state by its position in `Program.state`. */
export type EntryInput =
  | { readonly kind: 'argument'; readonly path: string }
  | { readonly kind: 'state'; readonly leaf: number };

/** What a flat result of an entry's function is: part of the value returned, or the new value of a state leaf. */
export type EntryOutput =
  | { readonly kind: 'result'; readonly path: string }
  | { readonly kind: 'state'; readonly leaf: number };

/** An argument of an exported function that the host passes on each call. `structure` indices count the entry's argument inputs. */
export interface EntryArgument {
  readonly name: string;
  readonly structure: Structure;
}

export interface Entry {
  /** The name in the source, or `init` for the hidden entry that computes the initial state from a key. */
  readonly name: string;
  /** The function of the module that computes it; `inputs` and `outputs` describe its parameters and results in order. */
  readonly fn: string;
  readonly inputs: readonly EntryInput[];
  readonly outputs: readonly EntryOutput[];
  readonly arguments: readonly EntryArgument[];
  /** How the host sees the value returned; indices count the entry's result outputs. */
  readonly result: Structure;
  /** Run-time dimensions of this entry in order; each is an argument itself or occurs bare in the shape of some argument. */
  readonly symbols: readonly string[];
  /** Relations between the dimensions that could not be decided at compile time: checked on entry. `left = right` or `left ≥ 0` when right is absent. */
  readonly constraints: readonly EntryConstraint[];
  /**
   * Equalities that hold since one dimension stands for two sizes now, which the arguments must agree on: what is said where they do not. Their
   * sizes may be those of dimensions that are no more.
   */
  readonly equalities?: readonly EntryConstraint[];
  /** The name of the entry that runs instead when the host has put the session into evaluation mode. */
  readonly evaluation?: string;
  /** Documentation (`##`) of the function. */
  readonly doc?: string;
}

export interface EntryConstraint {
  readonly left: Dim;
  readonly right?: Dim;
  /** A sentence that says why it must hold. */
  readonly message: string;
  /** The place in the program's own text that needs it. */
  readonly site?: SourceSite;
}

export interface Program {
  readonly name: string;
  readonly module: Module;
  readonly entries: readonly Entry[];
  readonly state: readonly StateLeaf[];
  /** The trees that the state makes up; a program without models may leave it out. */
  readonly tree?: readonly StateEntry[];
}
