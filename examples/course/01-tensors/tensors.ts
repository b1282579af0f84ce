// Tensors: creation, indexing, shapes, broadcasting, dtypes, products, reductions
import { Generator, Tensor } from 'tdsl';
import { show } from '../show.ts';
import { create } from './build/tensors/index.js';

// Tensors of the host are made as in PyTorch: whole numbers are i64, anything else is f32, booleans are bool.
const random = new Generator(420);
show({
  'whole numbers': Tensor.from([1, 2, 3]),
  'a column': Tensor.from([[1.5], [2]]),
  booleans: Tensor.from([true, false]),
  zeros: Tensor.zeros([2, 3]),
  full: Tensor.full([2], 7),
  identity: Tensor.eye(2),
  arange: Tensor.arange(0, 1, 0.25),
  linspace: Tensor.linspace(-1, 1, 5),
  'random, the same in every run': random.normal([3]),
});

const a = Tensor.arange(12, { dtype: 'f32' }).reshape([3, 4]);
show({ '\na': a, 'its shape': a.shape, 'its dtype': a.dtype });

// Functions of the program are methods of a session; several results come as an array.
const s = await create();
const [element, lastRow, firstColumn, block, lastColumn] = s.indexing({ a });
show({ 'a[1, 2]': element, 'a[-1]': lastRow, 'a[:, 0]': firstColumn, 'a[0:2, 1:3]': block });
show({ 'shape of a[:, 3:]': lastColumn.shape });

const [edge, channel] = s.images({ x: Tensor.zeros([2, 3, 28, 28]) });
show({ 'shape of x[..., 0]': edge.shape, 'shape of x[:, 1, ::2, ::2]': channel.shape });

// Values do not change: an update is a new tensor.
const [withNine, withoutLowerRows] = s.updated({ a });
show({ 'a with a nine': withNine, 'a without its lower rows': withoutLowerRows, 'a as before': a });

const [transposed, reshaped, flat, permuted, unsqueezed] = s.reshaped({ a });
show({ 'shapes of one content': [transposed, reshaped, flat, unsqueezed].map(({ shape }) => `[${shape}]`) });
show({ 'a.T is a permutation': transposed.equals(permuted) });

const [sums, multiples] = s.broadcasting({ row: [1, 2, 3], column: [[10], [20]] });
show({ '\na row plus a column': sums, 'a row times a column': multiples });

const [rows, columns, stacked] = s.joined({ a, b: a });
show({ 'cat, cat along the columns, stack': [rows, columns, stacked].map(({ shape }) => `[${shape}]`) });
show({ 'sizes of the parts': s.parts({ x: Tensor.arange(7, { dtype: 'f32' }) }).map(({ size }) => size) });

const [exponential, polynomial, clamped, leaky] = s.pointwise({ x: [-2, 0, 1.5] });
show({ 'exp(x)': exponential, 'x ** 2 + 1': polynomial, 'clamp(x, min: 0)': clamped, 'leaky relu': leaky });

const kinds = s.dtypes({ i: [1, 2], x: [0.5, -1.5], d: [0.1, 0.2] });
show({ 'dtypes of i / 2, i + x, x + d, x > 0, i * 2, cast(x, i64)': kinds.map(({ dtype }) => dtype) });

const [square, applied, dotProduct, trace] = s.products({ a, b: transposed, v: [1, 0, 0, 1] });
show({ '\na @ a.T': square, 'a @ v': applied, 'v @ v': dotProduct, trace });

const [mean, columnSums, rowSums, shares, largest, whereItIs] = s.reductions({ a });
show({ mean, 'sums of the columns': columnSums, 'shape of the sums of rows': rowSums.shape });
show({ 'rows divided by their sums': shares, 'largest of each row': largest, 'at column': whereItIs });

const [chosenRows, chosen, topValues, topIndices] = s.choosing({ a, rows: [2, 0, 2], columns: [3, 0, 1] });
show({ 'rows 2, 0, 2': chosenRows, 'one of each row': chosen, 'top two': topValues, 'their columns': topIndices });

// Floats are rounded. 0.1 is not a tenth, and equality is a question of tolerance.
show({ '\n0.1 in f32': Tensor.from([0.1]).toString({ precision: 20 }) });
const sum = Tensor.from([0.1 + 0.2], { dtype: 'f64' });
const expected = Tensor.from([0.3], { dtype: 'f64' });
show({ '0.1 + 0.2 equals 0.3': sum.equals(expected), '0.1 + 0.2 is close to 0.3': sum.allClose(expected) });
