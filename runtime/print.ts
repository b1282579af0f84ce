// Tensors as text, exactly as PyTorch prints them: one width for all elements, scientific notation where sizes differ too
// much, dots in place of the middle of large tensors, and the dtype where the numbers do not tell it.

import { DTYPES, type DType, kindOf, storedToNumber } from './dtype.js';
import { elementCount, stridesOf } from './shape.js';

/** How tensors are printed; the names and the meaning are those of `torch.set_printoptions`. */
export interface PrintOptions {
  /** Digits after the point. */
  readonly precision: number;
  /** Tensors with more elements are summarised. */
  readonly threshold: number;
  /** Elements shown at either end of each dimension of a summarised tensor. */
  readonly edgeItems: number;
  /** Characters a line. */
  readonly lineWidth: number;
  /** Scientific notation always, never, or where PyTorch would choose it (null). */
  readonly sciMode: boolean | null;
}

const PROFILES = {
  default: { precision: 4, threshold: 1000, edgeItems: 3, lineWidth: 80, sciMode: null },
  short: { precision: 2, threshold: 1000, edgeItems: 2, lineWidth: 80, sciMode: null },
  full: { precision: 4, threshold: Number.POSITIVE_INFINITY, edgeItems: 3, lineWidth: 80, sciMode: null },
} as const satisfies Record<string, PrintOptions>;

// What `setPrintOptions` last asked for. As in PyTorch this belongs to the process: it only changes how things read.
const current: { options: PrintOptions } = { options: PROFILES.default };

/** Changes how all tensors are printed from now on; `profile` starts from a named set of options. */
export function setPrintOptions(options: Partial<PrintOptions> & { readonly profile?: keyof typeof PROFILES }): void {
  const { profile, ...changes } = options;
  current.options = merge(profile === undefined ? current.options : PROFILES[profile], changes);
}

/** What can be printed: tensors, and anything else with a dtype, a shape and row-major storage. */
interface Printable {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** Options of one text: those of printing, and whether the tensor reads as one that gradients are taken of. */
export interface TextOptions extends Partial<PrintOptions> {
  readonly requiresGrad?: boolean;
}

/** The text that PyTorch prints for a tensor. */
export function formatTensor(tensor: Printable, textOptions: TextOptions = {}): string {
  const { requiresGrad = false, ...changes } = textOptions;
  const options = merge(current.options, changes);
  const { dtype, shape, data } = tensor;
  const prefix = 'tensor(';
  const suffixes: string[] = [];
  let body = '[]';
  const count = elementCount(shape);
  if (count === 0) {
    if (shape.length !== 1) suffixes.push(`size=${formatTuple(shape)}`);
    if (dtype !== 'f32') suffixes.push(`dtype=torch.${DTYPES[dtype].torch}`);
  } else {
    const layout = layoutOf(shape, count > options.threshold ? options.edgeItems : undefined);
    const style = styleOf(dtype, shownElements(dtype, data, layout), options);
    const write = (offset: number) => style.format(data[offset]!).padStart(style.width);
    body = formatBlock(layout, 0, 0, prefix.length, { write, width: style.width, lineWidth: options.lineWidth });
    if (dtype !== 'f32' && dtype !== 'i64' && dtype !== 'bool') suffixes.push(`dtype=torch.${DTYPES[dtype].torch}`);
  }
  if (requiresGrad) suffixes.push('requires_grad=True');
  return addSuffixes(prefix + body, suffixes, prefix.length, options.lineWidth);
}

function merge(base: PrintOptions, changes: Partial<PrintOptions>): PrintOptions {
  const options = { ...base, ...changes };
  for (const name of ['precision', 'edgeItems', 'lineWidth'] as const) {
    const [value, least] = [options[name], name === 'precision' ? 0 : 1];
    // 99 digits are the most for which JavaScript can also form the next one, which decides ties.
    if (!Number.isInteger(value) || value < least || (name === 'precision' && value > 99)) {
      throw new RangeError(`the print option ${name} cannot be ${value}`);
    }
  }
  if (!(options.threshold >= 0)) throw new RangeError(`the print option threshold cannot be ${options.threshold}`);
  return options;
}

/** A dimension as it is laid out: the indices that are shown, with `undefined` where dots stand for the others. */
interface Axis {
  readonly stride: number;
  readonly shown: readonly (number | undefined)[];
}

function layoutOf(shape: readonly number[], edgeItems: number | undefined): Axis[] {
  const strides = stridesOf(shape);
  return shape.map((size, axis) => {
    const indices = Array.from({ length: edgeItems === undefined ? size : Math.min(size, 2 * edgeItems) }, (_, i) => i);
    if (edgeItems === undefined || size <= 2 * edgeItems) return { stride: strides[axis]!, shown: indices };
    const head = indices.slice(0, edgeItems);
    return { stride: strides[axis]!, shown: [...head, undefined, ...head.map((i) => size - edgeItems + i)] };
  });
}

/** The stored elements that will be seen; they alone decide width and notation. */
function shownElements(dtype: DType, data: ArrayLike<number | bigint>, layout: readonly Axis[]): (number | bigint)[] {
  let offsets = [0];
  for (const { stride, shown } of layout) {
    const steps = shown.filter((i) => i !== undefined);
    offsets = offsets.flatMap((offset) => steps.map((i) => offset + i * stride));
  }
  return offsets.map((offset) => (kindOf(dtype) === 'float' ? storedToNumber(dtype, data[offset]!) : data[offset]!));
}

/** How one element is written, and the width that all elements share. */
interface Style {
  readonly width: number;
  format(stored: number | bigint): string;
}

function styleOf(dtype: DType, elements: readonly (number | bigint)[], options: PrintOptions): Style {
  if (kindOf(dtype) !== 'float') {
    const format = dtype === 'bool' ? (stored: number | bigint) => (stored ? 'True' : 'False') : String;
    return { width: widest(elements.map(format)), format };
  }
  const { precision } = options;
  // Zeros and non-finite numbers have no say in the notation, nor in the width.
  const telling = (elements as readonly number[]).filter((value) => Number.isFinite(value) && value !== 0);
  const [least, most] = telling.reduce(
    ([low, high], value) => [Math.min(low, Math.abs(value)), Math.max(high, Math.abs(value))] as const,
    [Number.POSITIVE_INFINITY, 0] as readonly [number, number],
  );
  const whole = telling.every(Number.isInteger);
  const spread = telling.length > 0 && (most / least > 1000 || most > 1e8 || (!whole && least < 1e-4));
  // PyTorch measures with the notation it would choose, also where an option then imposes the other one.
  const measure = spread
    ? (value: number) => formatScientific(value, precision)
    : (value: number) => (whole ? `${formatFixed(value, 0)}.` : formatFixed(value, precision));
  const width = Math.max(1, widest(telling.map(measure)));
  const format =
    // An option that asks for exponents counts only where an element has a say.
    telling.length > 0 && (options.sciMode ?? spread)
      ? (value: number) => formatScientific(value, precision)
      : (value: number) =>
          whole ? formatFixed(value, 0) + (Number.isFinite(value) ? '.' : '') : formatFixed(value, precision);
  return { width, format: (stored) => format(storedToNumber(dtype, stored)) };
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 1);
}

interface BlockStyle {
  readonly write: (offset: number) => string;
  readonly width: number;
  readonly lineWidth: number;
}

function formatBlock(layout: readonly Axis[], axis: number, offset: number, indent: number, style: BlockStyle): string {
  const here = layout[axis];
  if (here === undefined) return style.write(offset);
  const remaining = layout.length - axis;
  if (remaining === 1) {
    const texts = here.shown.map((i) => (i === undefined ? ' ...' : style.write(offset + i * here.stride)));
    const perLine = Math.max(1, Math.floor((style.lineWidth - indent) / (style.width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < texts.length; i += perLine) lines.push(texts.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
  }
  const blocks = here.shown.map((i) =>
    i === undefined ? '...' : formatBlock(layout, axis + 1, offset + i * here.stride, indent + 1, style),
  );
  return `[${blocks.join(`,${'\n'.repeat(remaining - 1)}${' '.repeat(indent + 1)}`)}]`;
}

function addSuffixes(text: string, suffixes: readonly string[], indent: number, lineWidth: number): string {
  let result = text;
  // PyTorch counts the last line as two characters longer than it is; its line breaks follow from that.
  let lastLine = text.length - text.lastIndexOf('\n') + 1;
  for (const suffix of suffixes) {
    if (lastLine + suffix.length + 2 > lineWidth) {
      result += `,\n${' '.repeat(indent)}${suffix}`;
      lastLine = indent + suffix.length;
    } else {
      result += `, ${suffix}`;
      lastLine += suffix.length + 2;
    }
  }
  return `${result})`;
}

function formatTuple(sizes: readonly number[]): string {
  return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`;
}

/** A number with a fixed count of decimals, as C prints it: exact ties go to the even digit. */
export function formatFixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  // From 1e21 on toFixed turns scientific, but all such doubles are whole numbers.
  if (size >= 1e21) return `${sign}${BigInt(size)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`;
  // A double is a tie exactly where its last binary digit stands one place after the last decimal asked for.
  const isTie = (size * 2 ** (precision + 1)) % 2 === 1;
  const digits = isTie
    ? size
        .toFixed(precision + 1)
        .slice(0, -1)
        .replace(/\.$/, '')
    : '';
  return sign + (isTie && isEven(digits) ? digits : size.toFixed(precision));
}

/** A number in scientific notation as C prints it: an exponent of two digits or more, exact ties to the even digit. */
export function formatScientific(value: number, precision: number): string {
  if (!Number.isFinite(value)) return formatNonFinite(value);
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [exact, exactExponent] = size.toExponential(100).split('e') as [string, string];
  const kept = precision === 0 ? exact.slice(0, 1) : exact.slice(0, 2 + precision);
  const isTie = /^50*$/.test(exact.slice(2 + precision));
  const [mantissa, exponent] =
    isTie && isEven(kept) ? [kept, exactExponent] : (size.toExponential(precision).split('e') as [string, string]);
  return `${sign}${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

function isEven(digits: string): boolean {
  return Number(digits.at(-1)) % 2 === 0;
}

function formatNonFinite(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}
