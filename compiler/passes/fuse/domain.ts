// The loops that the nodes of one kernel share, and whether the nodes of a kernel read one another at the positions of those loops.

import { type Dim, dimEquals, dimProduct, dimValue, isDimConst, shapeEquals } from '../../ir/dims.js';
import type { Index, IndexNode, Node, ReduceNode, Value } from '../../ir/graph.js';
import { plainIndexOf, subscriptIndices } from '../../ir/space.js';
import type { Analysis } from './analysis.js';
import { isPointwise, wholeDims } from './facts.js';

export type Domain =
  | { readonly form: 'map' | 'contraction' | 'reduction'; readonly shape: readonly Dim[] }
  | {
      readonly form: 'rows';
      readonly shape: readonly Dim[];
      /** The reduced dimensions of `shape`. */
      readonly reduced: readonly number[];
      /** Whether elements of a row may be used again after a reduction: the last dimension is reduced. */
      readonly revisits: boolean;
    }
  | { readonly form: 'single' };

/** Rows of one element in all are revisited only when they are this short: one long row would keep all other processors idle. */
const longestSingleRow = 4096;

/** The domain of a member on its own. */
export function domainOf(node: Node): Domain {
  const shape = (node.results[0] as Value).type.shape;
  if (isPointwise(node) || node.kind === 'view') return { form: 'map', shape };
  if (node.kind === 'source' && node.source.type !== 'fold_in') return { form: 'map', shape };
  if (node.kind === 'contract') return { form: 'contraction', shape };
  if (node.kind !== 'reduce') return { form: 'single' };
  const reduced = wholeDims(node);
  return reduced === undefined ? { form: 'reduction', shape } : rowsDomain(node, reduced);
}

function rowsDomain(node: ReduceNode, reduced: readonly number[]): Domain {
  const { shape } = (node.inputs[0] as Value).type;
  const last = shape.findLastIndex((size) => !isDimConst(size, 1));
  const rows = dimValue(dimProduct(shape.filter((_, dim) => !reduced.includes(dim))));
  const elements = dimValue(dimProduct(shape)) ?? Number.POSITIVE_INFINITY;
  const hasRows = rows === undefined || rows > 1;
  return {
    form: 'rows',
    shape,
    reduced,
    revisits: reduced.includes(last) && (hasRows || elements <= longestSingleRow),
  };
}

type Rows = Extract<Domain, { form: 'rows' }>;

/** The shape of one value for each row without the reduced dimensions. */
const keptShape = ({ shape, reduced }: Rows): readonly Dim[] => shape.filter((_, dim) => !reduced.includes(dim));

/** Whether a shape is that of one value for each row so that NumPy's broadcasting repeats it along the row: 1 or nothing where it is reduced. */
function isAligned(row: readonly Dim[], { shape, reduced }: Rows): boolean {
  const first = shape.length - row.length;
  if (first < 0) return false;
  return shape.every((size, dim) => {
    if (dim < first) return reduced.includes(dim) || isDimConst(size, 1);
    const own = row[dim - first] as Dim;
    return reduced.includes(dim) ? isDimConst(own, 1) : dimEquals(own, size);
  });
}

const isRowShape = (shape: readonly Dim[], rows: Rows): boolean =>
  shapeEquals(shape, keptShape(rows)) || isAligned(shape, rows);

/** The loops that compute the nodes of both domains, when one loop nest can. `producer` has a value that `consumer` reads. */
export function joinDomains(producer: Domain, consumer: Domain): Domain | undefined {
  if (producer.form === 'single' || consumer.form === 'single') return undefined;
  if (consumer.form === 'rows') {
    if (producer.form === 'rows') return sameRows(producer, consumer) ? consumer : undefined;
    return producer.form === 'map' && fitsRows(producer.shape, consumer) ? consumer : undefined;
  }
  if (producer.form === 'rows')
    return consumer.form === 'map' && fitsRows(consumer.shape, producer) ? producer : undefined;
  if (!shapeEquals(producer.shape, consumer.shape)) return undefined;
  if (producer.form === 'map') return consumer;
  return consumer.form === 'map' ? producer : undefined;
}

const sameRows = (a: Rows, b: Rows): boolean =>
  shapeEquals(a.shape, b.shape) && a.reduced.join() === b.reduced.join() && a.revisits === b.revisits;

const fitsRows = (shape: readonly Dim[], rows: Rows): boolean =>
  shapeEquals(shape, rows.shape) || isRowShape(shape, rows);

/**
 * Where a value stands in the loops of a kernel: `memory` is loaded from outside and may be read anywhere; `full` and `row` are computed at
 * the current element or row; `apart` is computed at other positions than those of the loops, which one loop nest cannot do.
 */
type Place = 'memory' | 'full' | 'row' | 'apart';

/** Whether the nodes of a group, in the loops of a domain, read one another where they are computed. */
export class Alignment {
  readonly #places = new Map<Value, Place>();

  constructor(
    readonly analysis: Analysis,
    readonly members: ReadonlySet<Node>,
    readonly domain: Exclude<Domain, { form: 'single' }>,
  ) {}

  holds(): boolean {
    return [...this.members].every((node) => this.#placeOfMember(node) !== 'apart');
  }

  #place(value: Value): Place {
    const known = this.#places.get(value);
    if (known !== undefined) return known;
    const place = this.#findPlace(value);
    this.#places.set(value, place);
    return place;
  }

  #findPlace(value: Value): Place {
    const node = this.analysis.definition.get(value);
    if (node === undefined) return 'memory';
    if (this.analysis.roleOf.get(node) === 'member')
      return this.members.has(node) ? this.#placeOfMember(node) : 'memory';
    const inputs = node.inputs.map((input) => this.#place(input));
    if (inputs.every((place) => place === 'memory')) return 'memory';
    if (node.kind === 'view') return this.#placeOfView(node.results[0] as Value, node.inputs[0] as Value);
    return node.kind === 'elementwise' ? this.#placeOfPointwise(node) : 'apart';
  }

  #shapeIs(value: Value, place: 'full' | 'row'): boolean {
    const { shape } = value.type;
    if (place === 'full') return shapeEquals(shape, this.domain.shape);
    return this.domain.form === 'rows' && isRowShape(shape, this.domain);
  }

  /** A view of a row value keeps its place when it only adds or drops the reduced dimensions, or repeats the value along them. */
  #placeOfView(result: Value, input: Value): Place {
    const node = this.analysis.definition.get(result);
    if (this.#place(input) !== 'row' || node?.kind !== 'view') return 'apart';
    const { view } = node;
    if (view.type === 'reshape' && this.#shapeIs(result, 'row')) return 'row';
    if (view.type !== 'broadcast' || !this.#shapeIs(result, 'full') || this.domain.form !== 'rows') return 'apart';
    const { shape } = input.type;
    const first = this.domain.shape.length - shape.length;
    const targets = isAligned(shape, this.domain) ? shape.map((_, i) => first + i) : this.#keptDims();
    return view.dims.join() === targets.join() ? 'full' : 'apart';
  }

  /** The dimensions that are not reduced. */
  #keptDims(): readonly number[] {
    const { domain } = this;
    if (domain.form !== 'rows') return [];
    return domain.shape.flatMap((_, dim) => (domain.reduced.includes(dim) ? [] : [dim]));
  }

  #placeOfMember(node: Node): Place {
    const result = node.results[0] as Value;
    if (isPointwise(node) && node.kind !== 'index') return this.#placeOfPointwise(node);
    if (node.kind === 'index') return this.#placeOfGather(node);
    const inputs = node.inputs.map((input) => this.#place(input));
    const isLoaded = inputs.every((place) => place === 'memory');
    if (node.kind === 'reduce' && this.domain.form === 'rows') {
      return inputs[0] === 'memory' || (inputs[0] === 'full' && this.#shapeIs(node.inputs[0] as Value, 'full'))
        ? 'row'
        : 'apart';
    }
    return isLoaded && this.#shapeIs(result, 'full') ? 'full' : 'apart';
  }

  #placeOfPointwise(node: Node): Place {
    const result = node.results[0] as Value;
    const isFull = this.#shapeIs(result, 'full');
    const isRow = !isFull && this.#shapeIs(result, 'row');
    if (!isFull && !isRow) return 'apart';
    const fits = node.inputs.every((input) => {
      const place = this.#place(input);
      if (place === 'memory') return true;
      if (isRow) return place === 'row' && this.#areSameRows(input, result);
      return place === 'full' ? this.#shapeIs(input, 'full') : place === 'row' && this.#repeatsAlongRow(input);
    });
    return fits ? (isFull ? 'full' : 'row') : 'apart';
  }

  /** Whether broadcasting a row value against a full value repeats it along the reduced dimensions. */
  #repeatsAlongRow(value: Value): boolean {
    return this.domain.form === 'rows' && this.domain.revisits && isAligned(value.type.shape, this.domain);
  }

  #areSameRows(a: Value, b: Value): boolean {
    if (shapeEquals(a.type.shape, b.type.shape)) return true;
    return this.domain.form === 'rows' && [a, b].every((value) => isAligned(value.type.shape, this.domain as Rows));
  }

  /** A gather may read a full value of its own row: plain row indices, and any position along the reduced dimensions. */
  #placeOfGather(node: IndexNode): Place {
    const [base, ...tables] = node.inputs as readonly [Value, ...Value[]];
    const result = node.results[0] as Value;
    if (tables.some((table) => this.#place(table) !== 'memory')) return 'apart';
    const isFull = this.#shapeIs(result, 'full');
    if (this.#place(base) === 'memory') return isFull ? 'full' : this.#shapeIs(result, 'row') ? 'row' : 'apart';
    const { domain } = this;
    const isRow = this.#shapeIs(result, 'row') && !isFull;
    if (domain.form !== 'rows' || !domain.revisits || this.#place(base) !== 'full' || !isRow) return 'apart';
    const kept = this.#keptDims();
    const rank = result.type.shape.length;
    // The dimension of the full shape that each index of the gather stands for.
    const dims =
      rank === domain.shape.length ? domain.shape.map((_, dim) => dim) : rank === kept.length ? kept : undefined;
    if (dims === undefined) return 'apart';
    const isOwnRow = node.indexing.access.every((subscript, dim) => {
      if (!domain.reduced.includes(dim)) return dims[plainIndexOf(subscript) ?? -1] === dim;
      return subscriptIndices(subscript).every((index) => isUnit(node, index) || kept.includes(dims[index] as number));
    });
    return isOwnRow ? 'row' : 'apart';
  }
}

const isUnit = (node: IndexNode, index: number): boolean =>
  isDimConst((node.indexing.space.indices[index] as Index).extent, 1);
