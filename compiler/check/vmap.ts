// `vmap(f, in_dims, out_dims)`: f for many sets of arguments, which lie along axes of the arguments. The body is written for one set, as a
// function of the graph that a `vmap` region carries; what it reads besides is the same for all sets.

import { positionType, stacked } from '../ir/control.js';
import { type Dim, dimValue, printDim } from '../ir/dims.js';
import type { TensorType, Value } from '../ir/graph.js';
import { foldIn } from './builtins/creation.js';
import type { Context } from './context.js';
import { capturesOf, finishPiece, inputsOf, keepingKey, writePiece } from './control/pieces.js';
import { flatten } from './flatten.js';
import { type Arg, calleeName, describe, type Transform, tensor, typeText, type Val } from './values.js';

type Vmap = Extract<Transform, { name: 'vmap' }>;

/** A tensor of an argument whose axis `axis` goes over the sets. */
interface Lane {
  readonly value: Value;
  readonly axis: number;
  readonly name: string;
}

/** An argument made of the parameters that stand for its lanes. */
type Make = (params: readonly Value[]) => Val;

/** Finds the tensors of arguments that have a value for each set. */
class Lanes {
  readonly found: Lane[] = [];

  constructor(
    readonly cx: Context,
    readonly transform: Vmap,
  ) {}

  fail(message: string, help?: string): never {
    return this.cx.fail('E0509', { message, site: this.transform.site, help });
  }

  /** `dims` is an axis for all tensors of the value, `none`, or has the structure of the value. */
  take(val: Val, dims: Val, name: string): Make {
    if (dims.kind === 'none') return () => val;
    if (dims.kind === 'int') return this.#all(val, dims.dim, name);
    if ((dims.kind === 'tuple' || dims.kind === 'list') && (val.kind === 'tuple' || val.kind === 'list')) {
      if (dims.items.length !== val.items.length) this.#structure(val, dims, name);
      const items = val.items.map((item, i) => this.take(item, dims.items[i] as Val, `${name}.${i}`));
      return (params) => ({ ...val, items: items.map((make) => make(params)) });
    }
    if (dims.kind === 'record' && val.kind === 'record') {
      const fields = [...val.fields].map(([key, field]) => {
        const own = dims.fields.get(key);
        if (own === undefined || dims.fields.size !== val.fields.size) this.#structure(val, dims, name);
        return [key, this.take(field, own, `${name}.${key}`)] as const;
      });
      return (params) => ({ kind: 'record', fields: new Map(fields.map(([key, make]) => [key, make(params)])) });
    }
    return this.#structure(val, dims, name);
  }

  #structure(val: Val, dims: Val, name: string): never {
    return this.fail(
      `\`in_dims\` gives ${describe(dims)} for \`${name}\`, which is ${describe(val)}`,
      'an axis, none, or the structure of the argument with axes in it',
    );
  }

  /** One axis for all tensors; values that are no tensors are the same for all sets. */
  #all(val: Val, dim: Dim, name: string): Make {
    switch (val.kind) {
      case 'tensor': {
        const at = this.found.push({ value: val.value, axis: this.#axis(dim, val.value.type, name), name }) - 1;
        return (params) => tensor(params[at] as Value);
      }
      case 'tuple':
      case 'list': {
        const items = val.items.map((item, i) => this.#all(item, dim, `${name}.${i}`));
        return (params) => ({ ...val, items: items.map((make) => make(params)) });
      }
      case 'record': {
        const fields = [...val.fields].map(([key, field]) => [key, this.#all(field, dim, `${name}.${key}`)] as const);
        return (params) => ({ kind: 'record', fields: new Map(fields.map(([key, make]) => [key, make(params)])) });
      }
      default:
        return () => val;
    }
  }

  #axis(dim: Dim, type: TensorType, name: string): number {
    const rank = type.shape.length;
    const axis = dimValue(dim);
    if (axis !== undefined && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
    return this.fail(
      `\`${name}\` is ${typeText(type)}, which has no axis ${printDim(dim)} for \`vmap\` to go over`,
      'state axes for each argument: `in_dims: (0, none)`; none for what is the same for all sets',
    );
  }

  /** The number of sets, which all lanes agree on. */
  size(): Dim {
    const [first, ...others] = this.found;
    const sizeOf = ({ value, axis }: Lane) => value.type.shape[axis] as Dim;
    if (first === undefined)
      return this.fail('`vmap` has nothing to go over: no argument is a tensor with a value for each set');
    for (const lane of others) {
      if (this.cx.sameSize(sizeOf(first), sizeOf(lane), '`vmap` goes over axes of equal size')) continue;
      this.fail(
        `\`vmap\` goes over axes of different sizes: \`${first.name}\` has ${printDim(sizeOf(first))} sets, \`${lane.name}\` has ${printDim(sizeOf(lane))}`,
        'what is the same for all sets has none in `in_dims`',
      );
    }
    return sizeOf(first);
  }
}

/** The axes of each argument. */
function dimsOfArguments(lanes: Lanes, args: readonly Arg[]): readonly Val[] {
  const { inDims } = lanes.transform;
  if (inDims.kind !== 'tuple' && inDims.kind !== 'list') {
    if (inDims.kind === 'int') return args.map(() => inDims);
    return lanes.fail(
      `\`in_dims\` is an axis or a tuple with axes for each argument, not ${describe(inDims)}`,
      'for one argument it is a tuple of one, with a comma: `({ a: 0 },)`',
    );
  }
  if (inDims.items.length !== args.length)
    lanes.fail(`\`in_dims\` gives axes for ${inDims.items.length} arguments, but there are ${args.length}`);
  return inDims.items;
}

/** Calls `vmap(f)`. */
export function applyVmap(cx: Context, transform: Vmap, args: readonly Arg[]): Val {
  const { of, outDims, randomness } = transform;
  const name = calleeName(of);
  const lanes = new Lanes(cx, transform);
  const dims = dimsOfArguments(lanes, args);
  const makers = args.map(({ value, name: given }, i) =>
    lanes.take(value, dims[i] as Val, given?.name ?? `argument ${i + 1}`),
  );
  const size = lanes.size();
  const inputs = lanes.found.map(({ value, axis }) => {
    const sets = toFront(cx, value, axis);
    return cx.b.reshape(sets, [size, ...sets.type.shape.slice(1)]);
  });
  const outerKey = cx.randomKey;
  let position: Value | undefined;
  const piece = keepingKey(cx, () =>
    writePiece(cx, `vmap.${name}`, (frame) => {
      const params = inputs.map(({ name: hint, type: { dtype, shape } }) =>
        frame.param(hint, { dtype, shape: shape.slice(1) }),
      );
      if (outerKey !== undefined && randomness === 'different') {
        // Each set draws from a stream of its own.
        cx.randomKey = () => {
          position ??= frame.param('set', positionType);
          return foldIn(cx, outerKey(), position);
        };
      }
      if (randomness === 'error') {
        cx.randomKey = () =>
          cx.fail('E0510', {
            message: `\`${name}\` draws random numbers, which \`vmap\` was told to refuse`,
            help: '`randomness: "different"` draws anew for each set, "same" draws once for all',
          });
      }
      const own = args.map((arg, i): Arg => ({ ...arg, value: (makers[i] as Make)(params) }));
      return { params, flat: flatten(cx, cx.engine.call(cx, of, own), `the result of \`${name}\``) };
    }),
  );
  const [cell] = piece.cells.keys();
  if (cell !== undefined) {
    cx.fail('E0510', {
      message: `\`${name}\` assigns to \`${cell.path}\`, of which there is one for all sets`,
      help: 'statistics of layers stay as they are in evaluation: `net.eval()`',
    });
  }
  const { params, flat } = piece.value;
  const results = cx.inFrame(piece.frame, () => piece.frame.locals(flat.values));
  const captures = capturesOf([piece]);
  const first = [...params, ...(position === undefined ? [] : [position])];
  const func = finishPiece(cx, piece, captures, { first, last: [] }, results);
  const sets = position === undefined ? [] : [cx.b.iota([size], 0)];
  const made = cx.b.region(
    { type: 'vmap', fn: func.name, over: first.map((_, i) => i), size },
    inputsOf(cx, [...inputs, ...sets, ...captures]),
    results.map(({ type }) => stacked(type, size)),
    name,
  );
  return placeSets(cx, lanes, flat.rebuild(made), outDims);
}

/** The tensor with one of its axes moved to the front. */
const toFront = (cx: Context, value: Value, axis: number): Value =>
  cx.b.permute(
    value,
    [axis, ...value.type.shape.keys()].filter((d, i) => i === 0 || d !== axis),
  );

/** The tensor with its first axis moved to another place. */
function fromFront(cx: Context, value: Value, axis: number): Value {
  const others = [...value.type.shape.keys()].slice(1);
  return cx.b.permute(value, [...others.slice(0, axis), 0, ...others.slice(axis)]);
}

/** The results with the axis of the sets where `out_dims` wants it. */
function placeSets(cx: Context, lanes: Lanes, val: Val, dims: Val): Val {
  const refuse = (): never =>
    lanes.fail(
      `\`out_dims\` gives ${describe(dims)} for ${describe(val)}`,
      'an axis of the result, or the structure of the result with axes in it',
    );
  switch (val.kind) {
    case 'tensor': {
      const rank = val.value.type.shape.length;
      const axis = dims.kind === 'int' ? dimValue(dims.dim) : undefined;
      if (axis === undefined || axis < -rank || axis >= rank) return refuse();
      return tensor(fromFront(cx, val.value, axis < 0 ? axis + rank : axis));
    }
    case 'tuple':
    case 'list': {
      const inside = dims.kind === 'tuple' || dims.kind === 'list' ? dims.items : undefined;
      if (inside !== undefined && inside.length !== val.items.length) return refuse();
      return { ...val, items: val.items.map((item, i) => placeSets(cx, lanes, item, inside?.[i] ?? dims)) };
    }
    case 'record': {
      const fields = [...val.fields].map(([key, field]): [string, Val] => {
        const own = dims.kind === 'record' ? dims.fields.get(key) : dims;
        return own === undefined ? refuse() : [key, placeSets(cx, lanes, field, own)];
      });
      return { kind: 'record', fields: new Map(fields) };
    }
    default:
      return val;
  }
}
