// What an operation record says, and what every kind of node must define. Records are data; the rules of a kind are
// written once per kind (ops/kinds) and serve all its operations.

import type { Builder } from '../ir/builder.js';
import type { Dim } from '../ir/dims.js';
import type { DType } from '../ir/dtype.js';
import type { NodeKind, NodeOf, TensorType, Value } from '../ir/graph.js';
import type { Scalar } from '../ir/scalar.js';

/** A scalar formula over elementwise operations by name, for derivatives: it becomes nodes of the graph. */
export type Formula =
  | { readonly kind: 'operand'; readonly index: number }
  | { readonly kind: 'result' }
  /** A number in the common dtype of the operands (for `where`, that of its branches). */
  | { readonly kind: 'literal'; readonly value: number }
  | { readonly kind: 'apply'; readonly op: string; readonly args: readonly Formula[] };

/**
 * The partial derivative with respect to one operand: a formula that multiplies the tangent; or `none` with the reason
 * (the derivative is zero or does not exist). A formula whose root is `where(c, a, b)`, or a `where` in its branches, selects among
 * tangents, so that the branch not taken contributes exactly 0. The factors 1 and 0 stand for the tangent itself and for no tangent.
 * A factor in a branch must be finite where the branch is not taken: reverse mode selects first and multiplies 0 by it.
 */
export type Partial =
  | { readonly kind: 'formula'; readonly formula: Formula }
  | { readonly kind: 'none'; readonly reason: string };

/** Where sampling tests draw operands from, and whether second derivatives exist everywhere there. */
export interface Domain {
  readonly low: number;
  readonly high: number;
}

interface RecordBase {
  readonly name: string;
  /** One or more sentences: what it computes, conventions at edges, where the conventions come from. */
  readonly doc: string;
}

/** An operation that applies a scalar expression at every element. All operands have one dtype unless `operandTypes` says otherwise. */
export interface ElementwiseOp extends RecordBase {
  readonly kind: 'elementwise';
  readonly arity: number;
  /** The dtypes it accepts, for the operands that share the common dtype. */
  readonly accepts: readonly DType[];
  /** Operands whose dtype is fixed, by position: `where` has a bool condition at 0. */
  readonly fixed?: Readonly<Record<number, DType>>;
  /** The dtype of the result from the common dtype; `target` is the node's `dtype`, which only `cast` has. */
  readonly result: (common: DType, target?: DType) => DType;
  /** The value as scalar IR; `args` have the dtypes of the operands. `target` as in `result`. */
  readonly value: (args: readonly Scalar[], common: DType, target?: DType) => Scalar;
  /** One for each operand. */
  readonly partials: readonly Partial[];
  /**
   * Sets of operands in which the operation is linear together, the others held fixed: 0 where those are all 0, and with partial
   * derivatives that do not depend on them. Absent where there are none.
   */
  readonly linear?: readonly (readonly number[])[];
  /** One for each operand, of floating-point tests. */
  readonly domain: readonly Domain[];
  /** False where the first derivative jumps (abs, relu): second derivatives are then not tested by differences. */
  readonly smooth: boolean;
}

/**
 * A fold with a tuple state in scalar IR. `init` gives the state of an empty fold; `step` takes (state…, element, position) where
 * position is the i64 row-major position in the inner index space; `merge` joins the states of two parts and is commutative, so that
 * backends may split the fold into blocks or interleaved lanes; `finish` gives the results. An operation on an empty fold without an identity sets `empty: 'error'`.
 */
export interface ReduceOp extends RecordBase {
  readonly kind: 'reduce';
  readonly accepts: readonly DType[];
  readonly state: (element: DType) => readonly DType[];
  readonly results: (element: DType) => readonly DType[];
  readonly init: (element: DType) => readonly Scalar[];
  /** Elements come in the order of their positions, though some may be left out or taken by other states. */
  readonly step: (state: readonly Scalar[], element: Scalar, position: Scalar) => readonly Scalar[];
  /** A cheaper beginning and step where no element is left out. */
  readonly whole?: Pick<ReduceOp, 'init' | 'step'>;
  readonly merge: (left: readonly Scalar[], right: readonly Scalar[]) => readonly Scalar[];
  /** The results from the last state; `element` is the dtype of the operand (half floats are folded in f32 and rounded here). */
  readonly finish: (state: readonly Scalar[], element: DType) => readonly Scalar[];
  readonly empty: 'identity' | 'error';
  /** True for `sum`: the result is linear in the operand, so the kind's transposition applies. */
  readonly linear?: boolean;
  /** The tangent of the results, or why there is none. */
  readonly derivative:
    | { readonly kind: 'rule'; readonly jvp: JvpRule<'reduce'> }
    | { readonly kind: 'none'; readonly reason: string };
  readonly domain: Domain;
  readonly smooth: boolean;
}

interface OrderBase extends RecordBase {
  readonly kind: 'order';
  readonly accepts: readonly DType[];
  readonly results: (element: DType) => readonly DType[];
  readonly derivative:
    | { readonly kind: 'rule'; readonly jvp: JvpRule<'order'> }
    | { readonly kind: 'none'; readonly reason: string };
  /** Whether the first result is linear in the operand (cumsum): then the kind's transposition applies. */
  readonly linear: boolean;
  readonly domain: Domain;
  readonly smooth: boolean;
}

/** A fold along one dimension whose every state is a result, such as a running sum. */
export interface ScanOp extends OrderBase {
  readonly method: 'scan';
  readonly init: (element: DType) => readonly Scalar[];
  readonly step: (state: readonly Scalar[], element: Scalar, position: Scalar) => readonly Scalar[];
  /** The state after two neighbouring ranges of elements, of which each has been folded from the initial state. */
  readonly merge: (left: readonly Scalar[], right: readonly Scalar[]) => readonly Scalar[];
  readonly finish: (state: readonly Scalar[], element: DType) => readonly Scalar[];
}

/** The positions of the elements along one dimension in the order of their keys, equal ones in the order in which they stand. */
export interface SortOp extends OrderBase {
  readonly method: 'sort';
  /** A signed integer for each element; with `reverse` the largest come first. */
  readonly key: (element: Scalar, reverse: boolean) => Scalar;
}

/** An operation along one dimension in order. */
export type OrderOp = ScanOp | SortOp;

export type OpRecord = ElementwiseOp | ReduceOp | OrderOp;

/**
 * Pushes tangents through a node: `node` is already built in `b` (its inputs and results are usable values); `tangents` has one
 * entry per input, undefined where it is zero or the input has no tangent space. Returns one tangent per result, undefined for zero.
 * Everything that depends on a tangent must be linear in it.
 */
export type JvpRule<K extends NodeKind> = (
  node: NodeOf<K>,
  tangents: readonly (Value | undefined)[],
  b: Builder,
) => readonly (Value | undefined)[];

/**
 * Pulls cotangents back through a node that is linear in the inputs marked by `linear` (jointly, the others held fixed): one cotangent
 * per result in (undefined for zero), one per input out (undefined for zero or where `linear` is false). Fixed inputs are usable values.
 */
export type TransposeRule<K extends NodeKind> = (
  node: NodeOf<K>,
  linear: readonly boolean[],
  cotangents: readonly (Value | undefined)[],
  b: Builder,
) => readonly (Value | undefined)[];

/**
 * Builds a node for many independent sets of operands at once (`vmap`). `node` reads operands that have `size` as a new first dimension where
 * `batched` says so, and are the same for all sets elsewhere; at least one is batched. All results get the new first dimension.
 */
export type BatchRule<K extends NodeKind> = (
  node: NodeOf<K>,
  batched: readonly boolean[],
  size: Dim,
  b: Builder,
) => readonly Value[];

/** What a kind of node defines, once for all its operations. */
export interface KindRules<K extends NodeKind> {
  readonly kind: K;
  /** Types of the results; throws `TypeRuleError` when the operands do not fit. */
  readonly infer: (node: Omit<NodeOf<K>, 'results' | 'origin'>) => readonly TensorType[];
  readonly jvp: JvpRule<K>;
  /** Absent for kinds that are never linear. */
  readonly transpose?: TransposeRule<K>;
  /** Absent where sets of operands cannot be treated at once. */
  readonly batch?: BatchRule<K>;
}

/** A node whose operands do not fit its operation: a bug of the pass that built it, since the checker has refused the user's errors before. */
export class TypeRuleError extends Error {
  override readonly name = 'TypeRuleError';
}
