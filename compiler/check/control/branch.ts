// `if` on a condition that only running decides: both branches become functions of the graph, and their values agree.

import { isFloat } from '../../ir/dtype.js';
import type { TensorType, Value } from '../../ir/graph.js';
import type { Context } from '../context.js';
import type { Binding, Scope } from '../scope.js';
import { commonDType, type Numeric, toTensor } from '../tensors.js';
import { isUntyped, isWeakNumber, tensor, type Val, weakened } from '../values.js';
import { asType, leafText, type Parts, takeApart, typeOf, typesAgree } from './parts.js';
import { bindingsOf, capturesOf, finishPiece, inputsOf, type Piece, takeAssigned, writePiece } from './pieces.js';

interface Branch {
  readonly value: Parts;
  readonly assigned: ReadonlyMap<Binding, Val>;
}

/** What both branches give at one place. */
interface Meeting {
  readonly sides: readonly [Numeric, Numeric];
  readonly type: TensorType;
  /** Whether both are numbers without a dtype: then so is the value. */
  readonly isNumber: boolean;
}

/** The type in which the leaves of two branches meet: numbers take the type of the tensor on the other side. */
function meet(cx: Context, sides: readonly [Numeric, Numeric], what: string): Meeting {
  const [a, b] = sides;
  if (isUntyped(a) && isUntyped(b)) {
    const common = commonDType(cx, sides);
    return { sides, type: { dtype: isFloat(common) ? 'f64' : common, shape: [] }, isNumber: true };
  }
  const weak = isWeakNumber(a) ? a : isWeakNumber(b) ? b : undefined;
  const dtype = commonDType(cx, sides);
  const model = typeOf(cx, isWeakNumber(a) ? b : a);
  const fits = weak === undefined ? typesAgree(cx, typeOf(cx, a), typeOf(cx, b), what) : true;
  if (!fits) {
    cx.fail('E0301', {
      message: `${what} is ${leafText(a)} in one branch and ${leafText(b)} in the other`,
      help: 'which branch runs is decided when running, so both give values of one type',
    });
  }
  // A number may be wider in kind than the tensor: then the tensor is cast.
  return { sides, type: { dtype, shape: model.shape }, isNumber: false };
}

function meetAll(cx: Context, then: Parts, otherwise: Parts, what: string): readonly Meeting[] {
  if (then.structure !== otherwise.structure) {
    cx.fail('E0301', {
      message: `${what} has another structure in each branch`,
      help: 'which branch runs is decided when running, so both give values of one type',
    });
  }
  return then.leaves.map((leaf, i) => meet(cx, [leaf, otherwise.leaves[i] as Numeric], what));
}

/** The value of `if`; `branches` evaluate its blocks. Variables and state that a branch assigns have the value of the branch taken. */
export function runTimeIf(
  cx: Context,
  test: Numeric,
  scope: Scope,
  branches: readonly [then: () => Val, otherwise: () => Val],
): Val {
  const before = bindingsOf(scope);
  const write = (name: string, body: () => Val): Piece<Branch> =>
    writePiece(cx, name, () => {
      try {
        return { value: takeApart(cx, body(), 'the value of `if`'), assigned: takeAssigned(before) };
      } catch (error) {
        takeAssigned(before);
        throw error;
      }
    });
  const pieces = [write('then', branches[0]), write('otherwise', branches[1])] as const;
  const [then, otherwise] = [pieces[0].value, pieces[1].value];

  const value = meetAll(cx, then.value, otherwise.value, 'the value of `if`');
  const bindings = [...before.keys()].filter(
    (binding) => then.assigned.has(binding) || otherwise.assigned.has(binding),
  );
  const variables = bindings.map((binding) => {
    const [a, b] = [then, otherwise].map(({ assigned }) =>
      takeApart(cx, assigned.get(binding) ?? (before.get(binding) as Val), 'a variable'),
    ) as [Parts, Parts];
    return { binding, parts: a, meetings: meetAll(cx, a, b, 'a variable that `if` assigns') };
  });
  const cells = [...new Set(pieces.flatMap((piece) => [...piece.cells.keys()]))];
  const meetings = [...value, ...variables.flatMap((variable) => variable.meetings)];

  // Results first: making them may read more from outside.
  const results = pieces.map((piece, side) =>
    cx.inFrame(piece.frame, () => [
      ...meetings.map(({ sides, type }) => {
        const leaf = sides[side] as Numeric;
        const made = leaf.kind === 'tensor' ? { ...leaf, value: cx.b.cast(leaf.value, type.dtype) } : leaf;
        return piece.frame.local(asType(cx, made, type));
      }),
      ...cells.map((cell) => piece.frame.local(piece.cells.get(cell) ?? cell.value)),
    ]),
  );
  const captures = capturesOf(pieces);
  const [fn, other] = pieces.map((piece, side) =>
    finishPiece(cx, piece, captures, { first: [], last: [] }, results[side] as readonly Value[]),
  );
  const types = (results[0] as readonly Value[]).map(({ type }) => type);
  const made = cx.b.region(
    { type: 'if', fn: fn?.name ?? '', otherwise: other?.name ?? '' },
    [toTensor(cx, test, 'bool'), ...inputsOf(cx, captures)],
    types,
    'if',
  );
  let at = 0;
  const take = (): Value => made[at++] as Value;
  const takeMet = (met: readonly Meeting[]): readonly Val[] =>
    met.map(({ isNumber }) => (isNumber ? weakened(take()) : tensor(take())));
  const result = then.value.rebuild(takeMet(value));
  for (const variable of variables) variable.binding.value = variable.parts.rebuild(takeMet(variable.meetings));
  for (const cell of cells) cx.frame.assign(cell, take());
  return result;
}
