// Products: `matmul`, and `einsum` from its equation.

import { type Dim, isDimConst, printDim } from '../../ir/dims.js';
import type { Access, Index, Value } from '../../ir/graph.js';
import { plainSubscript } from '../../ir/space.js';
import type { Context } from '../context.js';
import { fitted } from '../fitting.js';
import { matmul, requireSameDType } from '../matmul.js';
import { dtypeOf, isNumeric, toTensor } from '../tensors.js';
import { describe, tensor, typeText, type Val } from '../values.js';
import { type Arguments, type Builtin, define } from './builtin.js';

/** One operand with a label for each of its axes; `...` is spelt out as labels of its own. */
interface Labelled {
  readonly value: Value;
  readonly labels: readonly string[];
}

interface Equation {
  readonly operands: readonly string[];
  readonly output: string | undefined;
}

function parseEquation(args: Arguments): Equation {
  const text = args.string('equation').replaceAll(' ', '');
  const [left = '', right, ...others] = text.split('->');
  const malformed =
    others.length > 0 ||
    !/^([a-zA-Z.]*)(,[a-zA-Z.]*)*$/.test(left) ||
    (right !== undefined && !/^[a-zA-Z.]*$/.test(right));
  if (malformed) args.refuse('equation', 'an equation such as "bij,bjk->bik"');
  return { operands: left.split(','), output: right };
}

/** The labels of a term; an ellipsis stands for the axes that are left, counted from the last. */
function labelsOf(cx: Context, args: Arguments, term: string, rank: number, what: string): readonly string[] {
  const [before = '', after, ...others] = term.split('...');
  const letters = [...before, ...(after ?? '')];
  const extra = rank - letters.length;
  if (others.length > 0 || letters.includes('.') || extra < 0 || (after === undefined && extra > 0)) {
    cx.fail('E0303', { message: `"${term}" does not name the axes of ${what}`, site: args.site('equation') });
  }
  return [...before, ...Array.from({ length: extra }, (_, i) => `...${extra - i}`), ...(after ?? '')];
}

function einsum(cx: Context, args: Arguments): Val {
  const { operands: terms, output } = parseEquation(args);
  const values = args.rest('operands').map((val) => {
    if (!isNumeric(val)) return cx.fail('E0301', { message: `einsum takes tensors, not ${describe(val)}` });
    return toTensor(cx, val, dtypeOf(cx, val));
  });
  if (values.length !== terms.length || values.length === 0) {
    cx.fail('E0208', {
      message: `the equation names ${terms.length} operands, ${values.length} are given`,
      site: args.site('equation'),
    });
  }
  requireSameDType(cx, values, 'einsum');
  const operands = values.map(
    (value, i): Labelled => ({
      value,
      labels: labelsOf(cx, args, terms[i] as string, value.type.shape.length, typeText(value.type)),
    }),
  );
  const sizes = labelSizes(cx, operands);
  const result = outputLabels(cx, args, operands, output);
  for (const label of result)
    if (!sizes.has(label))
      cx.fail('E0208', { message: `the output label \`${label}\` is in no operand`, site: args.site('equation') });
  return tensor(contractAll(cx, operands, result, sizes));
}

function labelSizes(cx: Context, operands: readonly Labelled[]): ReadonlyMap<string, Dim> {
  const sizes = new Map<string, Dim>();
  for (const { value, labels } of operands) {
    labels.forEach((label, axis) => {
      const size = value.type.shape[axis] as Dim;
      const known = sizes.get(label);
      if (known === undefined || isDimConst(known, 1)) sizes.set(label, size);
      else if (!isDimConst(size, 1) && !cx.sameSize(known, size, 'axes of one label have equal sizes')) {
        cx.fail('E0312', {
          message: `the label \`${label}\` of einsum has the sizes ${printDim(known)} and ${printDim(size)}`,
        });
      }
    });
  }
  return sizes;
}

/** Without `->` the output has the labels that occur once, in alphabetical order, after those of the ellipsis. */
function outputLabels(
  cx: Context,
  args: Arguments,
  operands: readonly Labelled[],
  output: string | undefined,
): readonly string[] {
  const all = operands.flatMap(({ labels }) => labels);
  const dots = [...new Set(all.filter((label) => label.startsWith('...')))].sort().reverse();
  if (output === undefined)
    return [
      ...dots,
      ...[...new Set(all)]
        .filter((label) => !label.startsWith('...') && all.indexOf(label) === all.lastIndexOf(label))
        .sort(),
    ];
  if (new Set(output.replace('...', '')).size !== output.replace('...', '').length) {
    cx.fail('E0208', { message: 'a label of the output occurs twice', site: args.site('equation') });
  }
  const rank = output.includes('...') ? output.replace('...', '').length + dots.length : output.length;
  return labelsOf(cx, args, output, rank, 'the output');
}

/** Contracts the first two operands to what the others or the result still need, and so on. */
function contractAll(
  cx: Context,
  operands: readonly Labelled[],
  result: readonly string[],
  sizes: ReadonlyMap<string, Dim>,
): Value {
  const [first, second, ...others] = operands as readonly [Labelled, ...Labelled[]];
  if (others.length === 0) return contract(cx, second === undefined ? [first] : [first, second], result, sizes);
  const needed = new Set([...result, ...others.flatMap(({ labels }) => labels)]);
  const own = [...new Set([...first.labels, ...(second?.labels ?? [])])].filter((label) => needed.has(label));
  const partial = contract(cx, [first, second as Labelled], own, sizes);
  return contractAll(cx, [{ value: partial, labels: own }, ...others], result, sizes);
}

function contract(
  cx: Context,
  operands: readonly Labelled[],
  result: readonly string[],
  sizes: ReadonlyMap<string, Dim>,
): Value {
  const labels = [...new Set([...result, ...operands.flatMap((operand) => operand.labels)])];
  const indices: Index[] = labels.map((label) => ({
    name: label.replace('...', 'd'),
    extent: sizes.get(label) as Dim,
  }));
  const kept = operands.map(({ value, labels: own }) => {
    // Axes of size 1 repeat: they are dropped and read at no index.
    const axes = own.flatMap((label, axis) =>
      isDimConst(value.type.shape[axis] as Dim, 1) && !isDimConst(sizes.get(label) as Dim, 1) ? [] : [axis],
    );
    return {
      value: cx.b.reshape(
        value,
        axes.map((axis) => value.type.shape[axis] as Dim),
      ),
      labels: axes.map((axis) => own[axis] as string),
    };
  });
  const accesses = kept.map(({ labels: own }): Access => own.map((label) => plainSubscript(labels.indexOf(label))));
  return cx.b.contract(
    { indices, outer: result.length },
    accesses,
    kept.map(({ value }, i) => fitted(cx, value, accesses[i] ?? [], indices)),
  );
}

export const productBuiltins: readonly Builtin[] = [
  define(
    'matmul(input: tensor, other: tensor) -> tensor',
    'The product of matrices, vectors or batches of matrices; also `input @ other`.',
    (cx, args) => matmul(cx, args.numeric('input'), args.numeric('other'), 'matmul'),
  ),
  define(
    'einsum(equation: string, operands...: tensor) -> tensor',
    'The sum of products that the equation states, for example "bij,bjk->bik".',
    einsum,
  ),
];
