// Loops that run: `fold`, `scan` and `while` become loops of the graph. The body is a function of what it carries; state that it writes
// is carried too, and draws fold the position into the key, so that every trip draws anew and a recomputed trip repeats its draws.

import { loopResultTypes } from '../../ir/control.js';
import type { Dim } from '../../ir/dims.js';
import { isFloat, isInt } from '../../ir/dtype.js';
import type { LoopRegion, TensorType, Value } from '../../ir/graph.js';
import { foldIn } from '../builtins/creation.js';
import type { Context } from '../context.js';
import type { Frame } from '../frame.js';
import { dtypeOf, isRank0, type Numeric, toTensor } from '../tensors.js';
import { type Cell, isUntyped, isWeakNumber, tensor, typeText, type Val, weakened } from '../values.js';
import { asType, leafText, type Parts, takeApart, typeOf, typesAgree } from './parts.js';
import { capturesOf, finishPiece, inputsOf, keepingKey, type Piece, writePiece } from './pieces.js';

/** What a loop goes over, and what each trip gets of it. */
export interface Course {
  /** The number of trips, or their bound in a loop with a condition. */
  readonly length: Dim | undefined;
  /** Tensors of which each trip gets the slice at its position. */
  readonly xs: readonly Value[];
  readonly item: (position: Value, slices: readonly Value[]) => Val;
}

export interface LoopParts {
  readonly name: string;
  readonly init: Val;
  readonly course: Course;
  /** One trip: from the carry and the item to the next carry, and in a scan the output. */
  readonly step: (carry: Val, item: Val) => { readonly carry: Val; readonly output?: Val };
  /** Whether another trip follows. */
  readonly test?: (carry: Val) => Numeric;
}

const why = 'a loop carries values of one shape';
const positionType: TensorType = { dtype: 'i64', shape: [] };

/** The carry of a loop: its leaves at the start, and the types that all trips keep. */
interface Carried {
  readonly parts: Parts;
  readonly types: readonly CarryType[];
}

/** The type of a leaf that is carried; `isNumber` where it is a number without a dtype, which is held in i64 or f64. */
interface CarryType extends TensorType {
  readonly isNumber: boolean;
}

/** The type of a leaf at the start: numbers stay such until the body gives them a dtype. */
function startType(cx: Context, leaf: Numeric): CarryType {
  const { dtype, shape } = typeOf(cx, leaf);
  const isNumber = isUntyped(leaf) && dtype !== 'bool';
  return { dtype: isNumber && isFloat(dtype) ? 'f64' : dtype, shape, isNumber };
}

const carriedLeaf = (value: Value, { isNumber }: CarryType): Val => (isNumber ? weakened(value) : tensor(value));

/** The parameters of a piece: the position, the carry, the cells. */
interface Opened {
  readonly position: Value;
  readonly carry: readonly Value[];
  readonly cells: readonly Value[];
  /** The carry as a value of the program. */
  readonly value: Val;
}

function openPiece(cx: Context, frame: Frame, { parts, types }: Carried, cells: readonly Cell[]): Opened {
  const position = frame.param('i', positionType);
  const names = parts.leaves.map((leaf) => (leaf.kind === 'tensor' ? leaf.value.name : 'carry'));
  const carry = types.map((type, k) => frame.param(names[k] ?? 'carry', type));
  const values = cells.map((cell) => {
    const param = frame.param(cell.path, cell.type);
    frame.assign(cell, param);
    return param;
  });
  const outer = cx.randomKey;
  if (outer !== undefined) cx.randomKey = () => foldIn(cx, outer(), position);
  const value = parts.rebuild(carry.map((leaf, k) => carriedLeaf(leaf, types[k] as CarryType)));
  return { position, carry, cells: values, value };
}

/**
 * The type of a carry after a trip. A number at the start takes the dtype that the trip gives; where that is a number too, it stays one, and is
 * real from the first trip that makes it so.
 */
function nextType(cx: Context, start: Numeric, type: CarryType, leaf: Numeric): CarryType {
  const becomesReal = type.isNumber && isInt(type.dtype) && isFloat(dtypeOf(cx, leaf));
  if (becomesReal && isRank0(leaf)) return { ...type, dtype: 'f64' };
  if (isWeakNumber(leaf) || (type.isNumber && isUntyped(leaf))) return type;
  const own = leaf.value.type;
  const isOther = own.dtype !== type.dtype || type.isNumber;
  if (isUntyped(start) && own.shape.length === type.shape.length && isOther)
    return { ...type, dtype: own.dtype, isNumber: false };
  if (typesAgree(cx, own, type, why)) return type;
  return cx.fail('E0301', {
    message: `the loop begins with ${leafText(start)} and goes on with ${typeText(own)}`,
    help: 'what a loop carries keeps its type: begin with a value of the type that the body gives',
  });
}

interface Body {
  readonly opened: Opened;
  readonly slices: readonly Value[];
  readonly carry: Parts;
  readonly output: Parts | undefined;
}

/** Writes a loop over run-time values. */
export function runTimeLoop(cx: Context, loop: LoopParts): { readonly carry: Val; readonly output: Val | undefined } {
  const { draws } = cx;
  const init = takeApart(cx, loop.init, 'what a loop carries');
  const cells: Cell[] = [];
  let types = init.leaves.map((leaf) => startType(cx, leaf));
  for (;;) {
    cx.draws = draws;
    const carried = { parts: init, types };
    const test = loop.test && writeTest(cx, loop, carried, cells);
    const body = writeBody(cx, loop, carried, cells);
    const { carry } = body.value;
    if (carry.structure !== init.structure) {
      cx.fail('E0301', {
        message: 'what the body gives has another structure than what the loop begins with',
        help: 'what a loop carries keeps its type',
      });
    }
    const next = carry.leaves.map((leaf, k) => nextType(cx, init.leaves[k] as Numeric, types[k] as CarryType, leaf));
    const written = [body, ...(test === undefined ? [] : [test])].flatMap((piece) => [...piece.cells.keys()]);
    const isNew = written.filter((cell, i) => !cells.includes(cell) && written.indexOf(cell) === i);
    const isSettled =
      isNew.length === 0 &&
      next.every((type, k) => type.dtype === types[k]?.dtype && type.isNumber === types[k]?.isNumber);
    if (isSettled) return finishLoop(cx, loop, carried, cells, body, test);
    cells.push(...isNew);
    types = next;
  }
}

function writeTest(
  cx: Context,
  loop: LoopParts,
  carried: Carried,
  cells: readonly Cell[],
): Piece<{ opened: Opened; holds: Value }> {
  return keepingKey(cx, () =>
    writePiece(cx, `${loop.name}.condition`, (frame) => {
      const opened = openPiece(cx, frame, carried, cells);
      const holds = toTensor(cx, (loop.test as (carry: Val) => Numeric)(opened.value), 'bool');
      return { opened, holds };
    }),
  );
}

function writeBody(cx: Context, loop: LoopParts, carried: Carried, cells: readonly Cell[]): Piece<Body> {
  return keepingKey(cx, () =>
    writePiece(cx, loop.name, (frame) => {
      const opened = openPiece(cx, frame, carried, cells);
      const slices = loop.course.xs.map(({ name, type: { dtype, shape } }) =>
        frame.param(name, { dtype, shape: shape.slice(1) }),
      );
      const item = loop.course.item(opened.position, slices);
      const { carry, output } = loop.step(opened.value, item);
      return {
        opened,
        slices,
        carry: takeApart(cx, carry, 'what a loop carries'),
        output: output === undefined ? undefined : takeApart(cx, output, 'the output of a scan'),
      };
    }),
  );
}

function finishLoop(
  cx: Context,
  loop: LoopParts,
  { parts, types }: Carried,
  cells: readonly Cell[],
  body: Piece<Body>,
  test: Piece<{ readonly opened: Opened; readonly holds: Value }> | undefined,
): { readonly carry: Val; readonly output: Val | undefined } {
  const { opened, slices, carry, output } = body.value;
  const { frame } = body;
  const results = cx.inFrame(frame, () => [
    ...carry.leaves.map((leaf, k) => frame.local(asType(cx, leaf, types[k] as TensorType))),
    ...cells.map((cell) => frame.local(body.cells.get(cell) as Value)),
    ...(output?.leaves ?? []).map((leaf) => frame.local(asType(cx, leaf, typeOf(cx, leaf)))),
  ]);
  const tested = test?.frame.local(test.value.holds);
  const pieces = test === undefined ? [body] : [test, body];
  const captures = capturesOf(pieces);
  const around = (own: Opened, xs: readonly Value[]) => ({
    first: [own.position],
    last: [...own.carry, ...own.cells, ...xs],
  });
  const func = finishPiece(cx, body, captures, around(opened, slices), results);
  const condition =
    test === undefined || tested === undefined
      ? undefined
      : finishPiece(cx, test, captures, around(test.value.opened, []), [tested]).name;
  for (const [cell, value] of test?.cells ?? []) {
    if (test?.value.opened.cells.includes(value) !== true)
      cx.fail('E0412', { message: `the condition of a loop assigns to \`${cell.path}\`; only its body may` });
  }
  const { length, xs } = loop.course;
  const region: LoopRegion = {
    type: 'loop',
    fn: func.name,
    ...(condition !== undefined && { condition }),
    ...(length !== undefined && { length }),
    counted: false,
    reverse: false,
    carries: types.length + cells.length,
    xs: xs.length,
  };
  const start = parts.leaves.map((leaf, k) => asType(cx, leaf, types[k] as TensorType));
  const made = cx.b.region(
    region,
    inputsOf(cx, [...captures, ...start, ...cells.map((cell) => cell.value), ...xs]),
    loopResultTypes(
      region,
      results.map(({ type }) => type),
    ),
    loop.name,
  );
  cells.forEach((cell, k) => void cx.frame.assign(cell, made[types.length + k] as Value));
  return {
    carry: parts.rebuild(types.map((type, k) => carriedLeaf(made[k] as Value, type))),
    output: output?.rebuild(made.slice(region.carries).map(tensor)),
  };
}
