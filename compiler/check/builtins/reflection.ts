// What the program asks about its own values while it is compiled, and checks.

import { dimConst, dimSub, printDim } from '../../ir/dims.js';
import { isFloat, isInt } from '../../ir/dtype.js';
import type { Context } from '../context.js';
import { knownValue } from '../known.js';
import { lengthOf } from '../loops.js';
import { dependsOnData } from '../masks.js';
import { dtypeOf, isNumeric } from '../tensors.js';
import { leaves, treeOf } from '../trees.js';
import { bool, floatText, int, list, none, numberOf, show, string, tensor, tuple, type Val } from '../values.js';
import { type Arguments, type Builtin, define } from './builtin.js';

const is = (name: string, doc: string, test: (val: Val) => boolean): Builtin =>
  define(`${name}(x: any) -> bool`, doc, (_, args) => bool(test(args.get('x'))));

/** `assert(condition, message)`: sizes that only running decides are checked when the entry is called. */
function assert(cx: Context, args: Arguments): Val {
  const condition = args.get('condition');
  const message = show(args.get('message'));
  if (condition.kind === 'bool') {
    if (!condition.value) cx.fail('E0314', { message });
    return none;
  }
  if (condition.kind !== 'relation')
    return args.refuse('condition', 'a bool that is known when compiling, or a comparison of sizes');
  const { op, left, right } = condition;
  const one = dimConst(1);
  const holds = (() => {
    switch (op) {
      case '==':
        return cx.sameSize(left, right, message);
      case '>=':
        return cx.nonNegative(dimSub(left, right), message);
      case '>':
        return cx.nonNegative(dimSub(dimSub(left, right), one), message);
      case '<=':
        return cx.nonNegative(dimSub(right, left), message);
      case '<':
        return cx.nonNegative(dimSub(dimSub(right, left), one), message);
      case '!=':
        return true;
    }
  })();
  if (!holds) cx.fail('E0314', { message, label: `${printDim(left)} ${op} ${printDim(right)} does not hold` });
  return none;
}

/** `assert_known(condition, message)`: conditions on elements are decided where the data are constants. */
function assertKnown(cx: Context, args: Arguments): Val {
  const condition = args.numeric('condition');
  if (condition.kind === 'bool' && !condition.value) {
    const number = numberOf(args.get('of'));
    cx.fail('E0314', { message: `${show(args.get('message'))}${number === undefined ? '' : `, not ${number}`}` });
  }
  if (condition.kind !== 'tensor') return assert(cx, args);
  const holds = knownValue(cx, condition.value)?.data;
  const at = holds?.findIndex((element) => Number(element) === 0) ?? -1;
  if (at < 0) return none;
  const of = args.isNone('of') ? undefined : knownValue(cx, args.tensor('of'));
  const found = of !== undefined && of.data.length === holds?.length ? `, not ${Number(of.data[at])}` : '';
  return cx.fail('E0314', { message: `${show(args.get('message'))}${found}` });
}

/** A compile-time value as Python writes it. */
function pythonText(val: Val): string {
  switch (val.kind) {
    case 'bool':
      return val.value ? 'True' : 'False';
    case 'none':
      return 'None';
    case 'float':
      return pythonFloat(val.value);
    case 'string':
      return `'${val.value}'`;
    case 'list':
    case 'tuple':
      return `(${val.items.map(pythonText).join(', ')}${val.items.length === 1 ? ',' : ''})`;
    default:
      return show(val);
  }
}

/** Python turns to powers of ten below 1e-4 and from 1e16 on, with exponents of two digits. */
function pythonFloat(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size === 0 || (size >= 1e-4 && size < 1e16)) return floatText(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

/** A compile-time number rounded to an int. */
const rounded = (name: string, doc: string, round: (value: number) => number): Builtin =>
  define(`${name}(x: float) -> int`, doc, (_, args) => {
    const value = round(args.number('x'));
    return Number.isSafeInteger(value) ? int(dimConst(value)) : args.refuse('x', 'a number in the range of ints');
  });

export const reflectionBuiltins: readonly Builtin[] = [
  define(
    'assert(condition: bool, message: string = "this must hold") -> none',
    'Refuses the program with the message where the condition fails.',
    assert,
  ),
  define(
    'assert_known(condition: tensor, message: string = "this must hold", of: tensor? = none) -> none',
    'Refuses the program where an element of the condition is false and that is known when compiling; the report ends with that element of `of`.',
    assertKnown,
  ),
  rounded('trunc_int', 'The integer part of a compile-time number.', Math.trunc),
  rounded('floor_int', 'The largest int that is not above a compile-time number.', Math.floor),
  rounded('ceil_int', 'The smallest int that is not below a compile-time number.', Math.ceil),
  define(
    'len(x: any) -> int',
    'The number of elements of a list, tuple or string, or of the first axis of a tensor.',
    (cx, args) => int(lengthOf(cx, args.get('x'))),
  ),
  define(
    'known_ints(x: tensor) -> [int]',
    'The elements of a vector of integers that is known when compiling.',
    (cx, args) => {
      const known = knownValue(cx, args.tensor('x'));
      if (known === undefined) return cx.fail('L0903', dependsOnData(cx, args.site('x')));
      if (known.shape.length > 1 || !isInt(known.dtype))
        return args.refuse('x', 'a vector of integers that is known when compiling');
      return list(Array.from(known.data, Number).map((element) => int(dimConst(element))));
    },
  ),
  define('tuple(items: any) -> tuple', 'A list as a tuple: several results.', (_, args) => tuple(args.list('items'))),
  define('list(items: any) -> list', 'A tuple as a list.', (_, args) => list(args.list('items'))),
  define('str(x: any) -> string', 'A compile-time value as text.', (_, args) => string(show(args.get('x')))),
  define(
    'repr(x: any) -> string',
    "A compile-time value as PyTorch prints it, for `extra_repr`: `True`, `1e-05`, `(3, 3)`, `'same'`; lists read as tuples.",
    (_, args) => string(pythonText(args.get('x'))),
  ),
  define(
    'leaves(tree: any) -> [tensor]',
    'The tensors of a tree: the parameters of a model, the elements of records, tuples and lists.',
    (cx, args) =>
      list(
        leaves(treeOf(cx, args.get('tree'))).map(({ value }) =>
          value.kind === 'cell' ? tensor(value.cell.value) : value,
        ),
      ),
  ),
  define('paths(tree: any) -> [string]', 'The dotted paths of the leaves of a tree.', (cx, args) =>
    list(leaves(treeOf(cx, args.get('tree'))).map(({ path }) => string(path))),
  ),
  define(
    'record(names: [string], values: [any]) -> any',
    'A record of values under names that are known when compiling.',
    (_, args) => {
      const [names, values] = [args.list('names'), args.list('values')];
      const keys = names.map((name) =>
        name.kind === 'string' ? name.value : args.refuse('names', 'a list of strings'),
      );
      if (keys.length !== values.length) args.refuse('values', `a list of ${keys.length} values`);
      if (new Set(keys).size !== keys.length) args.refuse('names', 'names that differ');
      return { kind: 'record', fields: new Map(keys.map((key, i) => [key, values[i] as Val])) };
    },
  ),
  define('field_names(x: any) -> [string]', 'The names of the fields of a record.', (_, args) => {
    const x = args.get('x');
    return x.kind === 'record' ? list([...x.fields.keys()].map(string)) : args.refuse('x', 'a record');
  }),
  define(
    'field(x: any, name: string, default: any) -> any',
    'A field of a record, or another value where the record has no such field.',
    (_, args) => {
      const x = args.get('x');
      if (x.kind !== 'record') return args.refuse('x', 'a record');
      return x.fields.get(args.string('name')) ?? args.get('default');
    },
  ),
  define('starts_with(text: string, part: string) -> bool', 'Whether a text begins with another.', (_, args) =>
    bool(args.string('text').startsWith(args.string('part'))),
  ),
  define('ends_with(text: string, part: string) -> bool', 'Whether a text ends with another.', (_, args) =>
    bool(args.string('text').endsWith(args.string('part'))),
  ),
  define('is_floating_point(input: any) -> bool', 'Whether a tensor or number is of floats.', (cx, args) => {
    const input = args.get('input');
    if (input.kind === 'dtype') return bool(isFloat(input.dtype));
    return bool(isNumeric(input) && isFloat(dtypeOf(cx, input)));
  }),
  define(
    'dtype_of(input: tensor) -> dtype',
    'The dtype of a tensor, or the one that a number has by itself.',
    (cx, args) => ({
      kind: 'dtype',
      dtype: dtypeOf(cx, args.numeric('input')),
    }),
  ),
  is('is_tensor', 'Whether it is a tensor, not a compile-time number.', (val) => val.kind === 'tensor'),
  is('is_list', 'Whether it is a list.', (val) => val.kind === 'list'),
  is('is_tuple', 'Whether it is a tuple.', (val) => val.kind === 'tuple'),
  is('is_record', 'Whether it is a record.', (val) => val.kind === 'record'),
  is('is_model', 'Whether it is a model.', (val) => val.kind === 'model'),
  is('is_string', 'Whether it is a string.', (val) => val.kind === 'string'),
  is('is_int', 'Whether it is a compile-time int or a size.', (val) => val.kind === 'int'),
  is('is_float', 'Whether it is a compile-time float.', (val) => val.kind === 'float'),
  is('is_bool', 'Whether it is a compile-time bool.', (val) => val.kind === 'bool'),
  is('is_known', 'Whether a number is known when compiling.', (val) => numberOf(val) !== undefined),
  define('tied(to: tensor) -> tensor', 'In a model: the same parameter under another name.', (cx, args) => {
    const to = args.get('to');
    return to.kind === 'cell' || to.kind === 'model'
      ? to
      : cx.fail('E0404', { message: '`tied` names a parameter of the model', site: args.site('to') });
  }),
];
