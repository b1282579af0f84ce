// Control flow in the graph: loops, conditional nodes and checkpoints, the parts of loops, and how their functions fit them.

import { type Dim, dimEquals, shapeEquals } from './dims.js';
import type { Func, LoopRegion, RegionNode, TensorType, Value } from './graph.js';

export type LoopNode = RegionNode & { readonly region: LoopRegion };
export type ControlNode = RegionNode & {
  readonly region: Extract<RegionNode['region'], { type: 'loop' | 'if' | 'checkpoint' }>;
};

export const isLoop = (node: { readonly kind: string }): node is LoopNode =>
  node.kind === 'region' && (node as RegionNode).region.type === 'loop';

export const isControl = (node: { readonly kind: string }): node is ControlNode =>
  node.kind === 'region' && ['loop', 'if', 'checkpoint'].includes((node as RegionNode).region.type);

/** The inputs that the functions of a conditional node or checkpoint take. */
export const argumentsOf = ({ region, inputs }: ControlNode): readonly Value[] =>
  region.type === 'if' ? inputs.slice(1) : inputs;

/** The inputs of a loop by their parts. */
export interface LoopInputs<T> {
  /** The number of trips, one item when the loop is counted, else none. */
  readonly trips: readonly T[];
  readonly constants: readonly T[];
  readonly carries: readonly T[];
  readonly xs: readonly T[];
}

/** Takes the inputs of a loop apart; joined in the order of the fields they are the inputs again. */
export function loopInputs<T>({ counted, carries, xs }: LoopRegion, inputs: readonly T[]): LoopInputs<T> {
  const first = counted ? 1 : 0;
  const slices = inputs.length - xs;
  return {
    trips: inputs.slice(0, first),
    constants: inputs.slice(first, slices - carries),
    carries: inputs.slice(slices - carries, slices),
    xs: inputs.slice(slices),
  };
}

/** The parameters of a loop's function, or the results, by their parts. */
export function bodyParams<T>(region: LoopRegion, params: readonly T[]): LoopInputs<T> & { readonly position: T } {
  return { ...loopInputs({ ...region, counted: false }, params.slice(1)), position: params[0] as T };
}

export interface LoopResults<T> {
  readonly carries: readonly T[];
  readonly ys: readonly T[];
  /** The number of trips made, one item when the loop has a condition. */
  readonly made: readonly T[];
}

/** Takes the results of a loop apart. */
export function loopResults<T>({ carries, condition }: LoopRegion, results: readonly T[]): LoopResults<T> {
  const end = condition === undefined ? results.length : results.length - 1;
  return { carries: results.slice(0, carries), ys: results.slice(carries, end), made: results.slice(end) };
}

export const positionType: TensorType = { dtype: 'i64', shape: [] };

/** The type of a stack of `length` slices. */
export const stacked = ({ dtype, shape }: TensorType, length: Dim): TensorType => ({
  dtype,
  shape: [length, ...shape],
});

/** The types of a loop's results, given those of its function. */
export function loopResultTypes(region: LoopRegion, results: readonly TensorType[]): readonly TensorType[] {
  const { length } = region;
  const ys = results.slice(region.carries);
  if (length === undefined && ys.length > 0) throw new Error('a loop without a length stacks nothing');
  return [
    ...results.slice(0, region.carries),
    ...ys.map((type) => stacked(type, length as Dim)),
    ...(region.condition === undefined ? [] : [positionType]),
  ];
}

const typeEquals = (a: TensorType | undefined, b: TensorType | undefined): boolean =>
  a !== undefined && b !== undefined && a.dtype === b.dtype && shapeEquals(a.shape, b.shape);

const typesOf = (values: readonly Value[]): readonly TensorType[] => values.map(({ type }) => type);

const sameTypes = (a: readonly TensorType[], b: readonly TensorType[]): boolean =>
  a.length === b.length && a.every((type, i) => typeEquals(type, b[i]));

const isScalar = (value: Value | undefined, dtype: TensorType['dtype']): boolean =>
  value?.type.dtype === dtype && value.type.shape.length === 0;

/** What is wrong with a loop, by the functions that it carries. */
export function loopProblem(
  { region, inputs, results }: LoopNode,
  body: Func,
  condition: Func | undefined,
): string | undefined {
  const parts = loopInputs(region, inputs);
  const { length } = region;
  const atLeast = region.carries + region.xs + (region.counted ? 1 : 0);
  if (inputs.length < atLeast) return `it has ${inputs.length} operands, expected at least ${atLeast}`;
  if (region.counted && !isScalar(parts.trips[0], 'i64')) return 'the number of trips is not an i64 of rank 0';
  if (region.condition !== undefined && (region.counted || region.reverse))
    return 'a loop with a condition is neither counted nor reversed';
  if (length === undefined && region.condition === undefined && !region.counted) return 'nothing ends it';
  const slices: TensorType[] = [];
  for (const { name, type } of parts.xs) {
    const [first, ...shape] = type.shape;
    if (length === undefined || first === undefined || !dimEquals(first, length))
      return `%${name} has no slice for each of ${length?.key ?? 'the'} trips`;
    slices.push({ dtype: type.dtype, shape });
  }
  const carried = [...typesOf(parts.constants), ...typesOf(parts.carries)];
  if (!sameTypes(typesOf(body.params), [positionType, ...carried, ...slices]))
    return `@${body.name} does not take the position, the constants, the carries and the slices`;
  const given = typesOf(body.results);
  if (!sameTypes(given.slice(0, region.carries), typesOf(parts.carries)))
    return `@${body.name} does not give the carries that it takes`;
  if (length === undefined && given.length > region.carries) return 'a loop without a length stacks nothing';
  if (!sameTypes(typesOf(results), loopResultTypes(region, given))) return 'its results are not those of its function';
  if (condition === undefined) return undefined;
  const fits = sameTypes(typesOf(condition.params), [positionType, ...carried]);
  if (!fits || condition.results.length !== 1 || !isScalar(condition.results[0], 'bool'))
    return `@${condition.name} is no condition on the position, the constants and the carries`;
  return undefined;
}

/** What is wrong with a conditional node, by the functions that it carries. */
export function ifProblem({ inputs, results }: RegionNode, then: Func, otherwise: Func): string | undefined {
  const [condition, ...args] = inputs;
  if (!isScalar(condition, 'bool')) return 'the condition is not a bool of rank 0';
  for (const func of [then, otherwise]) {
    if (!sameTypes(typesOf(func.params), typesOf(args))) return `@${func.name} does not take the operands`;
    if (!sameTypes(typesOf(func.results), typesOf(results))) return `@${func.name} does not give the results`;
  }
  return undefined;
}
