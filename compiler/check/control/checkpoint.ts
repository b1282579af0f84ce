// `checkpoint(f, x)`: the call becomes a closed function of the graph, which reverse mode runs again instead of storing its values.

import type { Context } from '../context.js';
import { type Arg, tensor, type Val } from '../values.js';
import { asType, takeApart, typeOf } from './parts.js';
import { capturesOf, finishPiece, inputsOf, writePiece } from './pieces.js';

/** The value of a call that is computed again where reverse mode needs what is inside of it. */
export function checkpoint(cx: Context, callee: Val, args: readonly Arg[]): Val {
  const piece = writePiece(cx, 'checkpoint', () =>
    takeApart(cx, cx.engine.call(cx, callee, args), 'the value of `checkpoint`'),
  );
  const { frame, value, cells } = piece;
  const results = cx.inFrame(frame, () => [
    ...value.leaves.map((leaf) => frame.local(asType(cx, leaf, typeOf(cx, leaf)))),
    ...[...cells.values()].map((cell) => frame.local(cell)),
  ]);
  const captures = capturesOf([piece]);
  const { name } = finishPiece(cx, piece, captures, { first: [], last: [] }, results);
  const types = results.map(({ type }) => type);
  const made = cx.b.region({ type: 'checkpoint', fn: name }, inputsOf(cx, captures), types, 'checkpoint');
  [...cells.keys()].forEach((cell, i) => {
    const next = made[value.leaves.length + i];
    if (next !== undefined) cx.frame.assign(cell, next);
  });
  return value.rebuild(made.slice(0, value.leaves.length).map(tensor));
}
