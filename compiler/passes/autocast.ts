// Rounds the factors of large matrix products to bf16, in memory: tensor cores copy them from there. Products are of f32 as before, so that sums,
// gradients and parameters keep their range and precision (mixed precision, Micikevicius et al. 2018). It is part of the pipeline for GPUs with
// `--precision bf16`, whose kernels round the factors of all other products as they read them: what is computed is the same.

import { dimValue } from '../ir/dims.js';
import type { DType } from '../ir/dtype.js';
import type { ContractNode, Func, Index, Node, Value } from '../ir/graph.js';
import { mapFunction, mapModule, type Rewriting } from '../ir/rewrite.js';
import { plainIndicesOf } from '../ir/space.js';
import type { Pass } from './pass.js';

/** The size that a run-time dimension is taken to have. */
const TYPICAL = 256;

/**
 * Seconds, roughly, on a GPU with tensor cores: for a multiply-add whose factors are rounded on the way, for one whose factors lie in memory as bf16, for
 * an element that is cast (6 bytes), and for one more launch. They are guesses until a card has timed them.
 */
const [ROUNDED_PRODUCT, STORED_PRODUCT, CAST_ELEMENT, LAUNCH] = [8e-15, 3.3e-15, 2e-12, 1.5e-6];

/** Whether products with factors from memory save more time than it takes to cast the factors. */
function paysToCast({ space, accesses, guards }: ContractNode): boolean {
  const indices = accesses.map(plainIndicesOf);
  if (guards.length > 0 || indices.length !== 2 || indices.includes(undefined)) return false;
  const size = (at: Iterable<number>): number =>
    [...at].reduce((product, index) => product * (dimValue((space.indices[index] as Index).extent) ?? TYPICAL), 1);
  const saved = size(space.indices.keys()) * (ROUNDED_PRODUCT - STORED_PRODUCT);
  const casts = indices.reduce((sum, own) => sum + size(new Set(own)) * CAST_ELEMENT + LAUNCH, 0);
  return saved > casts;
}

const isProduct = (node: Node): node is ContractNode =>
  node.kind === 'contract' && node.inputs.length === 2 && node.inputs.every(({ type }) => type.dtype === 'f32');

/** The dtype that a node casts from, if it is a cast. */
const castFrom = (node: Node | undefined): DType | undefined =>
  node?.kind === 'elementwise' && node.op === 'cast' ? node.inputs[0]?.type.dtype : undefined;

/** The function with the factors of some products rounded; a value that several products read is rounded once, under the shape that it is made in. */
function castFactors(func: Func, pays: (node: ContractNode) => boolean): Func {
  const known = new Map<Value, Value>();
  const round = (value: Value, around: Rewriting): Value => {
    const node = around.definition(value)?.node;
    if (castFrom(node) === 'bf16') return value;
    if (node?.kind === 'view' && node.view.type === 'reshape')
      return around.builder.reshape(rounded(node.inputs[0] as Value, around), node.view.shape);
    return around.builder.cast(around.builder.cast(value, 'bf16'), 'f32');
  };
  const rounded = (value: Value, around: Rewriting): Value => {
    const result = known.get(value) ?? round(value, around);
    known.set(value, result);
    return result;
  };
  return mapFunction(func, (node, around) => {
    if (!isProduct(node) || !pays(node)) return undefined;
    // Kernels multiply what is f16 as it is: bf16 would lose three bits of it.
    if (node.inputs.some((input) => castFrom(around.definition(input)?.node) === 'f16')) return undefined;
    const inputs = node.inputs.map((input) => rounded(input, around));
    return [around.builder.contract(node.space, node.accesses, inputs, node.guards, node.results[0]?.name)];
  });
}

/** The pass for the products that `pays` holds of. */
export const autocastWhere = (pays: (node: ContractNode) => boolean): Pass => ({
  name: 'autocast',
  doc: 'Rounds the factors of large products to bf16 in memory (for --target cuda --precision bf16).',
  run: (program) => ({ ...program, module: mapModule(program.module, (func) => castFactors(func, pays)) }),
});

export const autocast = autocastWhere(paysToCast);
