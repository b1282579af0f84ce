// Lookups of operation records by name.

import { elementwiseOps } from './elementwise/index.js';
import { type ElementwiseOp, type OrderOp, type ReduceOp, type ScanOp, type SortOp, TypeRuleError } from './op.js';
import { orderOps } from './order.js';
import { reduceOps } from './reduce.js';

/** The index is built on first use: the records' files may still be loading when this file is evaluated. */
function indexByName<R extends { readonly name: string }>(
  records: () => readonly R[],
): (name: string) => R | undefined {
  let index: ReadonlyMap<string, R> | undefined;
  return (name) => {
    index ??= new Map(records().map((record) => [record.name, record]));
    return index.get(name);
  };
}

/** The record of that name, or undefined. */
export const findElementwiseOp: (name: string) => ElementwiseOp | undefined = indexByName(() => elementwiseOps);
export const findReduceOp: (name: string) => ReduceOp | undefined = indexByName(() => reduceOps);
export const findOrderOp: (name: string) => OrderOp | undefined = indexByName(() => orderOps);

function known<R>(record: R | undefined, kind: string, name: string): R {
  if (record === undefined) throw new TypeRuleError(`there is no ${kind} operation '${name}'`);
  return record;
}

/** The record of that name; throws `TypeRuleError` when there is none. */
export const elementwiseOp = (name: string): ElementwiseOp => known(findElementwiseOp(name), 'elementwise', name);
export const reduceOp = (name: string): ReduceOp => known(findReduceOp(name), 'reduction', name);
export const orderOp = (name: string): OrderOp => known(findOrderOp(name), 'order', name);

export function scanOp(name: string): ScanOp {
  const record = orderOp(name);
  if (record.method !== 'scan') throw new TypeRuleError(`${name} is no fold`);
  return record;
}

export function sortOp(name: string): SortOp {
  const record = orderOp(name);
  if (record.method !== 'sort') throw new TypeRuleError(`${name} does not sort`);
  return record;
}
