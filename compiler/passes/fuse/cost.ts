// What evaluating an elementwise operation at one element costs, measured on its scalar expression.

import type { DType } from '../../ir/dtype.js';
import type { Node } from '../../ir/graph.js';
import { argument, type Scalar, scalarOperands } from '../../ir/scalar.js';
import { elementwiseOp } from '../../ops/table.js';

/** A call of an elementary function, a division or a square root against one addition. */
const callCost = 16;
const divisionCost = 4;

function scalarCost(scalar: Scalar): number {
  if (scalar.kind === 'call') return callCost;
  if (scalar.kind === 'argument' || scalar.kind === 'constant') return 0;
  return scalar.kind === 'apply' && (scalar.op === 'div' || scalar.op === 'sqrt') ? divisionCost : 1;
}

function totalCost(root: Scalar): number {
  const seen = new Set<Scalar>();
  const visit = (scalar: Scalar): number => {
    if (seen.has(scalar)) return 0;
    seen.add(scalar);
    return scalarOperands(scalar).reduce((sum, operand) => sum + visit(operand), scalarCost(scalar));
  };
  return visit(root);
}

/** Arithmetic operations for one element of a node, its operands given. A gather costs an extra load and a range check. */
export function operationCost(node: Node): number {
  if (node.kind === 'index') return divisionCost;
  if (node.kind !== 'elementwise') return 0;
  const record = elementwiseOp(node.op);
  const types = node.inputs.map((input) => input.type.dtype);
  const common = types.find((_, i) => record.fixed?.[i] === undefined) as DType;
  const args = types.map((dtype, i) => argument(i, dtype));
  return totalCost(record.value(args, common, node.dtype));
}
