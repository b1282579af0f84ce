// Contractions: sums of products over an index space. Bilinear, and closed under transposition (see solve.ts).

import type { Builder } from '../../ir/builder.js';
import type { Dim } from '../../ir/dims.js';
import type { ContractNode, Index, IndexSpace, NodeDraft, TensorType, Value } from '../../ir/graph.js';
import {
  affineAdd,
  affineIndex,
  affineRenumber,
  affineSubscript,
  indexName,
  outerShape,
  plainIndexOf,
  plainSubscript,
} from '../../ir/space.js';
import type { KindRules } from '../op.js';
import { batchAccess, batchAffine, batchSpace } from './batch.js';
import { checkAccess, checkSpace, fail } from './check.js';
import { affineAccess, buildSum, type Factor } from './solve.js';

type Draft = Extract<NodeDraft, { kind: 'contract' }>;

function infer({ space, accesses, guards, inputs }: Draft): readonly TensorType[] {
  const [first, second] = inputs;
  if (first === undefined || inputs.length > 2) fail('contract', `takes one or two operands, got ${inputs.length}`);
  if (accesses.length !== inputs.length)
    fail('contract', `${inputs.length} operands are read with ${accesses.length} accesses`);
  checkSpace('contract', space);
  inputs.forEach((input, i) => {
    checkAccess('contract', accesses[i] ?? [], input.type.shape.length, space, undefined);
  });
  for (const guard of guards) {
    if (guard.terms.some(({ index }) => space.indices[index] === undefined))
      fail('contract', 'a guard names no index of the space');
  }
  const { dtype } = first.type;
  if (dtype === 'bool') fail('contract', 'does not accept bool');
  if (second !== undefined && second.type.dtype !== dtype) {
    fail('contract', `operands have the dtypes ${dtype} and ${second.type.dtype}`);
  }
  return [{ dtype, shape: outerShape(space) }];
}

/** One operand of a sum of products over `space`, with the cotangent or tangent of the result as the other operands need it. */
interface Transposed {
  readonly space: IndexSpace;
  readonly guards: Draft['guards'];
  readonly accesses: Draft['accesses'];
  readonly inputs: readonly Value[];
}

/**
 * The cotangent of operand `k` of a contraction (or, with one operand, of a sum): a sum over all indices of the node, guarded so that
 * the operand's subscripts hit the position asked for.
 */
export function transposeOperand(b: Builder, node: Transposed, k: number, cotangent: Value): Value {
  const operand = node.inputs[k] as Value;
  const access = affineAccess(node.accesses[k] ?? []);
  const rank = operand.type.shape.length;
  const positions: Index[] = operand.type.shape.map((extent, dim) => {
    const plain = plainIndexOf(access[dim] as (typeof access)[number]);
    return { name: plain === undefined ? indexName(dim) : (node.space.indices[plain] as Index).name, extent };
  });
  const indices = [...positions, ...node.space.indices];
  const shift = (index: number) => index + rank;
  const guards = [
    ...node.guards.map((guard) => affineRenumber(guard, shift)),
    ...access.map(({ expression, divisor }, dim) =>
      affineAdd(affineRenumber(expression, shift), affineIndex(dim, -divisor)),
    ),
  ];
  const outer = node.space.indices.slice(0, node.space.outer).map((_, i) => shift(i));
  const others = node.inputs.flatMap((value, i): Factor[] =>
    i === k
      ? []
      : [
          {
            value,
            access: affineAccess(node.accesses[i] ?? []).map(({ expression, divisor }, dim) =>
              affineSubscript(affineRenumber(expression, shift), divisor, value.type.shape[dim] as Dim, indices),
            ),
          },
        ],
  );
  const factors: Factor[] = [{ value: cotangent, access: outer.map(plainSubscript) }, ...others];
  return buildSum(b, { indices, outer: rank, factors, guards }, outer);
}

/** The same contraction with operand `k` replaced. */
const withOperand = (node: ContractNode, k: number, value: Value, b: Builder): Value =>
  b.contract(node.space, node.accesses, node.inputs.with(k, value), node.guards);

const ordinals = ['first operand', 'second operand'];

export const contractRules: KindRules<'contract'> = {
  kind: 'contract',
  infer,

  jvp(node, tangents, b) {
    const terms = tangents.flatMap((tangent, k) => {
      if (tangent === undefined) return [];
      const rule = node.inputs.length === 1 ? b.origin.rule : `${b.origin.rule}, ${ordinals[k]}`;
      return [b.withOrigin({ ...b.origin, ...(rule && { rule }) }, () => withOperand(node, k, tangent, b))];
    });
    const [first, ...others] = terms;
    return [first && others.reduce((sum, term) => b.elementwise('add', [sum, term]), first)];
  },

  transpose(node, linear, [cotangent], b) {
    return node.inputs.map((_, k) =>
      linear[k] && cotangent !== undefined ? transposeOperand(b, node, k, cotangent) : undefined,
    );
  },

  batch(node, batched, size, b) {
    const accesses = node.accesses.map((access, k) => batchAccess(access, batched[k] === true));
    return [b.contract(batchSpace(node.space, size), accesses, node.inputs, node.guards.map(batchAffine))];
  },
};
