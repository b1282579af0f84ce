// The table of all operations: records by name, and the rules of each kind of node.

import type { NodeDraft, NodeKind, TensorType } from '../ir/graph.js';
import { assembleRules } from './kinds/assemble.js';
import { contractRules } from './kinds/contract.js';
import { elementwiseRules } from './kinds/elementwise.js';
import { indexRules } from './kinds/index.js';
import { orderRules } from './kinds/order.js';
import { reduceRules } from './kinds/reduce.js';
import { regionRules } from './kinds/region.js';
import { sourceRules } from './kinds/source.js';
import { viewRules } from './kinds/view.js';
import type { KindRules } from './op.js';

export {
  elementwiseOp,
  findElementwiseOp,
  findOrderOp,
  findReduceOp,
  orderOp,
  reduceOp,
  scanOp,
  sortOp,
} from './records.js';

type RuleTable = { readonly [K in NodeKind]: KindRules<K> };

const rules: RuleTable = {
  elementwise: elementwiseRules,
  contract: contractRules,
  reduce: reduceRules,
  view: viewRules,
  assemble: assembleRules,
  index: indexRules,
  order: orderRules,
  source: sourceRules,
  region: regionRules,
};

/** The type, derivative and transposition rules of a kind of node. */
export const kindRules = <K extends NodeKind>(kind: K): KindRules<K> => rules[kind];

/** Types of the results of a node; throws `TypeRuleError` when the operands do not fit. Nodes that carry functions are typed by their maker. */
export function inferTypes(draft: NodeDraft): readonly TensorType[] {
  switch (draft.kind) {
    case 'elementwise':
      return rules.elementwise.infer(draft);
    case 'contract':
      return rules.contract.infer(draft);
    case 'reduce':
      return rules.reduce.infer(draft);
    case 'view':
      return rules.view.infer(draft);
    case 'assemble':
      return rules.assemble.infer(draft);
    case 'index':
      return rules.index.infer(draft);
    case 'order':
      return rules.order.infer(draft);
    case 'source':
      return rules.source.infer(draft);
    case 'region':
      return rules.region.infer(draft);
  }
}
