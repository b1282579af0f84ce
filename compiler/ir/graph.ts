// The graph IR: functions in SSA form over tensors. Immutable data; passes build new functions (see rewrite.ts).
//
// A node belongs to one of a few closed kinds. Passes and backends switch on `kind`, never on the name of an operation;
// what is particular to one operation lives in its record (compiler/ops). Every value is a tensor: tuples, records and
// models are flattened to their leaves before they get here. Rank 0 is a scalar. A key of the random generator is i64[2].

import type { Dim } from './dims.js';
import type { DType } from './dtype.js';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/** A place in a source file; lines and columns count from 1. */
export interface SourceSite {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Where a node comes from: shown as the comment at the end of its line in the text IR. */
export interface Origin {
  readonly site?: SourceSite;
  /** The source text, shortened, for example `fc1(x)`. */
  readonly text?: string;
  /** For a derivative: the name of the forward value that it is the tangent or cotangent of. */
  readonly of?: string;
  /** For a derivative or a rewrite: the rule that made it, for example `d relu` or `contract, operand 2`. */
  readonly rule?: string;
}

/** A value of the graph: a function parameter or a result of one node. Identity is the object; names are unique in a function. */
export interface Value {
  readonly name: string;
  readonly type: TensorType;
}

// ---- index spaces: what contractions, reductions, gathers and scatters share ----------------------------------------

/** A named index that runs over 0 ≤ index < extent. */
export interface Index {
  readonly name: string;
  readonly extent: Dim;
}

/** Σ coefficient · index + offset; `index` is a position in the space's list. Coefficients are not 0 and each index occurs once, in order. */
export interface Affine {
  readonly terms: readonly { readonly index: number; readonly coefficient: number }[];
  readonly offset: Dim;
}

/**
 * How one dimension of an operand is addressed. `affine`: at `expression / divisor`; where the division leaves a remainder, or
 * (with `masked`) where the quotient is outside the operand, the element counts as absent: 0 in a contraction or gather, skipped in a
 * reduction or scatter. Without `masked` the quotient is provably inside. `lookup` (gather and scatter only): at the value that the integer
 * operand `operand` holds at `subscripts`; a value outside 0 ≤ value < size is a run-time error.
 */
export type Subscript =
  | { readonly kind: 'affine'; readonly expression: Affine; readonly divisor: number; readonly masked: boolean }
  | { readonly kind: 'lookup'; readonly operand: number; readonly subscripts: readonly Subscript[] };

/** One subscript for each dimension of the operand. */
export type Access = readonly Subscript[];

/** The first `outer` indices are the dimensions of the result, in order; the others are summed or reduced over. */
export interface IndexSpace {
  readonly indices: readonly Index[];
  readonly outer: number;
}

// ---- nodes -----------------------------------------------------------------------------------------------------------

interface NodeBase {
  readonly inputs: readonly Value[];
  readonly results: readonly Value[];
  readonly origin: Origin;
}

/** A scalar expression applied at every element; operands broadcast by NumPy's rules. `op` names an elementwise record. */
export interface ElementwiseNode extends NodeBase {
  readonly kind: 'elementwise';
  readonly op: string;
  /** The target of `cast`; no other operation has it. */
  readonly dtype?: DType;
}

/**
 * result[outer] = Σ over inner of Π operands[access], at the points where every guard is 0. One or two operands.
 * It is closed under differentiation: the transposition of a contraction is a contraction (see ops/kinds/contract.ts).
 */
export interface ContractNode extends NodeBase {
  readonly kind: 'contract';
  readonly space: IndexSpace;
  readonly accesses: readonly Access[];
  /** Affine expressions that must be 0 for a point to count (diagonals). */
  readonly guards: readonly Affine[];
}

/** A fold of the present elements of one operand over the inner indices, in row-major order; `op` names a reduction record. */
export interface ReduceNode extends NodeBase {
  readonly kind: 'reduce';
  readonly op: string;
  readonly space: IndexSpace;
  readonly access: Access;
}

/** The same elements, read in another way. Sizes are of the result; `reshape` is row-major. */
export type View =
  | { readonly type: 'reshape'; readonly shape: readonly Dim[] }
  | { readonly type: 'permute'; readonly permutation: readonly number[] }
  /** Operand dimension i becomes result dimension `dims[i]` (increasing); it has that size or is 1 and repeats; the others are new and repeat. */
  | { readonly type: 'broadcast'; readonly shape: readonly Dim[]; readonly dims: readonly number[] }
  /** result[…, i, …] = x[…, start + i·step, …]; steps ≥ 1. */
  | {
      readonly type: 'slice';
      readonly starts: readonly Dim[];
      readonly steps: readonly number[];
      readonly sizes: readonly Dim[];
    }
  | { readonly type: 'flip'; readonly dims: readonly number[] };

export interface ViewNode extends NodeBase {
  readonly kind: 'view';
  readonly view: View;
}

export type Assemble =
  /** Operand 0 inside operand 1 (rank 0): `low` and `high` new elements at the ends of each dimension, `interior` between neighbours; all ≥ 0. */
  | {
      readonly type: 'pad';
      readonly low: readonly Dim[];
      readonly high: readonly Dim[];
      readonly interior: readonly number[];
    }
  | { readonly type: 'concat'; readonly dim: number };

export interface AssembleNode extends NodeBase {
  readonly kind: 'assemble';
  readonly assemble: Assemble;
}

export type ScatterMode = 'add' | 'set' | 'max' | 'min';

export type Indexing =
  /** inputs [x, ...index tensors]: result[all indices] = x[access]; the space has no inner indices. */
  | { readonly type: 'gather'; readonly space: IndexSpace; readonly access: Access }
  /** inputs [base, updates, ...index tensors]: base with updates[all indices] written at `access`, in row-major order (`set`: the last one wins). */
  | { readonly type: 'scatter'; readonly mode: ScatterMode; readonly space: IndexSpace; readonly access: Access };

/** Data-dependent reads and writes. `lookup` subscripts name index tensors by their position among the node's inputs. */
export interface IndexNode extends NodeBase {
  readonly kind: 'index';
  readonly indexing: Indexing;
}

/** Work along one dimension in order. `op` names an order record (cumsum, cumprod, cummax, sort, …); attributes by record. */
export interface OrderNode extends NodeBase {
  readonly kind: 'order';
  readonly op: string;
  readonly dim: number;
  readonly reverse: boolean;
  /** The places in the order that the result of a sort holds; all without it. */
  readonly places?: Places;
}

/** The places `start` ≤ i < `start + size`. */
export interface Places {
  readonly start: Dim;
  readonly size: Dim;
}

export type Source =
  /** A literal: one number for all elements (`data` of length 1), or all elements in row-major order for a constant shape. Booleans are 0 and 1. */
  | {
      readonly type: 'constant';
      readonly dtype: DType;
      readonly shape: readonly Dim[];
      readonly data: readonly (number | bigint)[];
    }
  /** The index along `dim`, as i64 or another dtype. */
  | { readonly type: 'iota'; readonly dtype: DType; readonly shape: readonly Dim[]; readonly dim: number }
  /** The value of a dimension expression as a rank-0 i64. */
  | { readonly type: 'size'; readonly value: Dim }
  /** input: key i64[2]. Uniform random 32-bit patterns as i32[shape]: Philox 4x32-10 of the key and the element's row-major position. */
  | { readonly type: 'random_bits'; readonly shape: readonly Dim[] }
  /** inputs: key i64[2], data i64 rank 0. A key that is independent of the keys folded from other data. */
  | { readonly type: 'fold_in' };

export interface SourceNode extends NodeBase {
  readonly kind: 'source';
  readonly source: Source;
}

/** Operations that carry functions of the module, by name. The functions see only their parameters. */
export type Region =
  | { readonly type: 'call'; readonly fn: string }
  /** inputs: fn's, then a tangent for each parameter in `wrt`. results: fn's, then a tangent for each result in `of`. */
  | { readonly type: 'jvp'; readonly fn: string; readonly wrt: readonly number[]; readonly of: readonly number[] }
  /** inputs: fn's, then a cotangent for each result in `of`. results: fn's, then a cotangent for each parameter in `wrt`. */
  | { readonly type: 'vjp'; readonly fn: string; readonly wrt: readonly number[]; readonly of: readonly number[] }
  /** A call whose body one kernel computes; made by the pass `fuse`. */
  | { readonly type: 'kernel'; readonly fn: string }
  /** A call that stays closed: nothing inside is merged with what is outside, and reverse mode computes it again instead of storing its values. */
  | { readonly type: 'checkpoint'; readonly fn: string }
  | VmapRegion
  | CustomJvpRegion
  | LoopRegion
  | IfRegion;

/**
 * A function for many sets of operands at once: inputs are those of `fn`, the ones in `over` with `size` as a new first dimension, the others the
 * same for all sets; so are the results, all with the new first dimension. The pass `differentiate` expands it.
 */
export interface VmapRegion {
  readonly type: 'vmap';
  readonly fn: string;
  readonly over: readonly number[];
  readonly size: Dim;
}

/**
 * A call of a function whose derivative is stated: inputs and results are those of `fn`. `derivative` takes fn's parameters, fn's results and a
 * tangent for each parameter in `wrt`, in which it is linear; it gives a tangent for each result in `of`. The other results have none.
 * A tangent of a parameter that is not in `wrt` is an error. The pass `differentiate` uses the derivative and opens the call.
 */
export interface CustomJvpRegion {
  readonly type: 'custom_jvp';
  readonly fn: string;
  readonly derivative: string;
  readonly wrt: readonly number[];
  readonly of: readonly number[];
}

/**
 * A loop: `fold`, `scan` and `while`. `inputs` are, in order (`ir/control.ts` takes them apart):
 *
 *   trips      with `counted` only: the number of trips, i64 of rank 0; a negative one is 0
 *   constants  what every trip reads as it is
 *   carries    the first values of what each trip reads and replaces
 *   xs         tensors whose first dimension is `length`: a trip reads the slice at its position
 *
 * `fn` takes (position i64, constants, carries, slices of xs) and gives (carries, slices of ys). Results: the last carries; the ys, stacked
 * along a first dimension `length`, 0 at positions without a trip; and with `condition` the number of trips made, i64.
 *
 * Trips are at the positions 0, 1, …, with `reverse` from the last one down to 0. There are `length` of them, or `trips`; with `condition`
 * as long as it holds: it takes (position, constants, carries), gives a bool and is asked before each trip. To need more than
 * `length` trips is a run-time error. Without a length there are no xs and no ys.
 */
export interface LoopRegion {
  readonly type: 'loop';
  readonly fn: string;
  readonly condition?: string;
  readonly length?: Dim;
  readonly counted: boolean;
  readonly reverse: boolean;
  /** How many of the inputs, and first results, are carries. */
  readonly carries: number;
  /** How many of the inputs, the last ones, are xs. */
  readonly xs: number;
}

/** inputs: a bool of rank 0, then the arguments of both functions. results: those of `fn` where it is true, else those of `otherwise`. */
export interface IfRegion {
  readonly type: 'if';
  readonly fn: string;
  readonly otherwise: string;
}

export interface RegionNode extends NodeBase {
  readonly kind: 'region';
  readonly region: Region;
}

export type Node =
  | ElementwiseNode
  | ContractNode
  | ReduceNode
  | ViewNode
  | AssembleNode
  | IndexNode
  | OrderNode
  | SourceNode
  | RegionNode;

export type NodeKind = Node['kind'];
export type NodeOf<K extends NodeKind> = Extract<Node, { kind: K }>;

type WithoutDerived<N> = N extends Node ? Omit<N, 'results' | 'origin'> : never;

/** A node before its results and origin are known. */
export type NodeDraft = WithoutDerived<Node>;

/** A function. Nodes are in an order in which every value is defined before it is used. */
export interface Func {
  readonly name: string;
  readonly params: readonly Value[];
  readonly nodes: readonly Node[];
  readonly results: readonly Value[];
  readonly origin: Origin;
}

/** All functions of a program by name. Functions called by others come before their callers; there is no recursion. */
export interface Module {
  readonly functions: ReadonlyMap<string, Func>;
}

/** The name under which a node prints: the record's name, or the name of its form. */
export function nodeName(node: NodeDraft): string {
  switch (node.kind) {
    case 'elementwise':
    case 'reduce':
    case 'order':
      return node.op;
    case 'contract':
      return 'contract';
    case 'view':
      return node.view.type;
    case 'assemble':
      return node.assemble.type;
    case 'index':
      return node.indexing.type;
    case 'source':
      return node.source.type;
    case 'region':
      return node.region.type;
  }
}
