// The table of all operations: records by name, and the rules of each kind of node.

import type { NodeDraft, TensorType } from '../ir/graph.js';

/** Types of the results of a node. Nodes that carry functions are typed by their maker. */
export declare function inferTypes(draft: NodeDraft): readonly TensorType[];
