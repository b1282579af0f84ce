// Contractions in the interpreter. Products are exact or rounded to f64, sums accumulate in f64, and the result is rounded to the
// dtype once; integers wrap.
//
// One summed index, the longest, is the inner loop. Along it, every subscript is an arithmetic progression: the interval of the
// loop in which all of them lie inside their operands and all guards hold is computed, divisors thin it out to every P-th step,
// and what is left is a strided dot product.

import { gcd } from '../gcd.js';
import type { NodeOf } from '../graph.js';
import { type AccessContext, evaluateAffine, type Linear, spaceExtents } from './access.js';
import { forEachPoint, rowMajorStrides } from './strides.js';
import { allocate, type Elements, elementCount, type HostTensor, type Numbers, roundElements } from './tensor.js';

/** An affine quantity that must be checked at every point: a masked or divided subscript, or a guard (size 1, no operand). */
interface Check extends Linear {
  readonly divisor: number;
  readonly size: number;
  /** The operand whose offset it moves, and by how much for one position. */
  readonly operand: number;
  readonly stride: number;
}

/** The part of an operand's offset that needs no check. */
type Offset = Linear;

export function evaluateContract(node: NodeOf<'contract'>, context: AccessContext): HostTensor {
  const { space } = node;
  const { dims, inputs } = context;
  const extents = spaceExtents(space, dims);
  const { offsets, checks } = prepare(node, context);
  const shape = extents.slice(0, space.outer);
  const summed = extents.map((_, i) => i).slice(space.outer);
  const inner = summed.reduce<number | undefined>(
    (best, i) => (best === undefined || (extents[i] as number) > (extents[best] as number) ? i : best),
    undefined,
  );
  const others = summed.filter((i) => i !== inner);
  const length = inner === undefined ? 1 : (extents[inner] as number);
  const run = new InnerLoop(offsets, checks, inner, length, dotProduct(inputs));
  const { dtype } = inputs[0] as HostTensor;
  const data = allocate(dtype, elementCount(shape));
  const point = new Array<number>(extents.length).fill(0);
  const otherExtents = others.map((i) => extents[i] as number);
  let at = 0;
  forEachPoint(shape, (outer) => {
    outer.forEach((index, i) => {
      point[i] = index;
    });
    run.clear();
    if (others.length === 0) run.add(point);
    else {
      forEachPoint(otherExtents, (rest) => {
        others.forEach((index, i) => {
          point[index] = rest[i] as number;
        });
        run.add(point);
      });
    }
    run.store(data, at++);
  });
  roundElements(dtype, data);
  return { dtype, shape, data };
}

function prepare(node: NodeOf<'contract'>, { dims, inputs }: AccessContext): { offsets: Offset[]; checks: Check[] } {
  const { space } = node;
  const checks: Check[] = node.guards.map((guard) => ({
    ...evaluateAffine(guard, space, dims),
    divisor: 1,
    size: 1,
    operand: 0,
    stride: 0,
  }));
  const offsets = node.accesses.map((access, operand): Offset => {
    const shape = (inputs[operand] as HostTensor).shape;
    const strides = rowMajorStrides(shape);
    const coefficients = space.indices.map(() => 0);
    let offset = 0;
    access.forEach((subscript, dim) => {
      if (subscript.kind !== 'affine') return;
      const linear = evaluateAffine(subscript.expression, space, dims);
      const stride = strides[dim] as number;
      const { divisor, masked } = subscript;
      if (masked || divisor !== 1) {
        checks.push({ ...linear, divisor, size: shape[dim] as number, operand, stride });
        return;
      }
      offset += linear.offset * stride;
      linear.coefficients.forEach((c, i) => {
        coefficients[i] = (coefficients[i] as number) + c * stride;
      });
    });
    return { coefficients, offset };
  });
  return { offsets, checks };
}

const valueAt = ({ coefficients, offset }: Linear, point: readonly number[]): number => {
  let value = offset;
  for (let i = 0; i < coefficients.length; i++) value += (coefficients[i] as number) * (point[i] as number);
  return value;
};

/** Sums the products along the inner index, for one setting of the other indices at a time. */
class InnerLoop {
  /** Distance between elements along the inner index, for each operand. */
  readonly #steps: readonly number[];
  /** The smallest number of steps after which all divisions are exact again. */
  readonly #period: number;
  readonly #starts: number[];
  readonly #strides: number[];

  constructor(
    readonly offsets: readonly Offset[],
    readonly checks: readonly Check[],
    readonly inner: number | undefined,
    readonly length: number,
    readonly dot: DotProduct,
  ) {
    const along = ({ coefficients }: Linear) => (inner === undefined ? 0 : (coefficients[inner] as number));
    this.#period = checks.reduce((period, check) => lcm(period, check.divisor / gcd(along(check), check.divisor)), 1);
    this.#steps = offsets.map(along);
    this.#starts = offsets.map(() => 0);
    this.#strides = offsets.map((_, operand) =>
      checks
        .filter((check) => check.operand === operand)
        .reduce(
          (sum, check) => sum + ((along(check) * this.#period) / check.divisor) * check.stride,
          (this.#steps[operand] as number) * this.#period,
        ),
    );
  }

  clear(): void {
    this.dot.clear();
  }

  store(into: Elements, at: number): void {
    this.dot.store(into, at);
  }

  /** Adds the products at a point; its inner index is ignored. */
  add(point: number[]): void {
    const { inner, checks, offsets } = this;
    if (inner !== undefined) point[inner] = 0;
    let low = 0;
    let high = this.length - 1;
    for (const check of checks) {
      // 0 ≤ value + step·v ≤ largest, an interval of v.
      const value = valueAt(check, point);
      const step = inner === undefined ? 0 : (check.coefficients[inner] as number);
      const largest = (check.size - 1) * check.divisor;
      if (step === 0) {
        if (value < 0 || value > largest) return;
      } else {
        const [first, last] =
          step > 0 ? [-value / step, (largest - value) / step] : [(largest - value) / step, -value / step];
        low = Math.max(low, Math.ceil(first));
        high = Math.min(high, Math.floor(last));
      }
    }
    const start = this.#firstExact(point, low, high);
    if (start === undefined) return;
    for (let operand = 0; operand < offsets.length; operand++) {
      this.#starts[operand] = valueAt(offsets[operand] as Offset, point) + start * (this.#steps[operand] as number);
    }
    for (const check of checks) {
      if (check.stride === 0) continue;
      const step = inner === undefined ? 0 : (check.coefficients[inner] as number);
      const position = (valueAt(check, point) + step * start) / check.divisor;
      this.#starts[check.operand] = (this.#starts[check.operand] as number) + position * check.stride;
    }
    this.dot.add(this.#starts, this.#strides, Math.floor((high - start) / this.#period) + 1);
  }

  /** The first step in an interval at which every division is exact. */
  #firstExact(point: readonly number[], low: number, high: number): number | undefined {
    const last = Math.min(high, low + this.#period - 1);
    for (let v = low; v <= last; v++) {
      const isExact = this.checks.every((check) => {
        if (check.divisor === 1) return true;
        const step = this.inner === undefined ? 0 : (check.coefficients[this.inner] as number);
        return (valueAt(check, point) + step * v) % check.divisor === 0;
      });
      if (isExact) return v;
    }
    return undefined;
  }
}

const lcm = (a: number, b: number): number => (a / gcd(a, b)) * b;

/** Accumulates strided sums of products. */
interface DotProduct {
  readonly clear: () => void;
  readonly add: (starts: readonly number[], strides: readonly number[], count: number) => void;
  readonly store: (into: Elements, at: number) => void;
}

function dotProduct(inputs: readonly HostTensor[]): DotProduct {
  const [first, second] = inputs as readonly [HostTensor, HostTensor | undefined];
  const a = first.data;
  // A contraction of one operand is one with a second operand that is 1 everywhere.
  const b = second?.data ?? ones(first);
  const isSingle = second === undefined;
  if (a instanceof BigInt64Array) return bigProduct(a, b as BigInt64Array, isSingle);
  const isInteger = !(a instanceof Float32Array || a instanceof Float64Array);
  return (isInteger ? intProduct : floatProduct)(a, b as Numbers, isSingle);
}

function ones({ dtype }: HostTensor): Elements {
  const one = allocate(dtype, 1);
  if (one instanceof BigInt64Array) one[0] = 1n;
  else one[0] = 1;
  return one;
}

function floatProduct(a: Numbers, b: Numbers, isSingle: boolean): DotProduct {
  let sum = 0;
  return {
    clear: () => {
      sum = 0;
    },
    add: (starts, strides, count) => {
      let i = starts[0] as number;
      let j = isSingle ? 0 : (starts[1] as number);
      const s = strides[0] as number;
      const t = isSingle ? 0 : (strides[1] as number);
      let part = sum;
      for (let n = 0; n < count; n++, i += s, j += t) part += a[i]! * b[j]!;
      sum = part;
    },
    store: (into, at) => {
      (into as Numbers)[at] = sum;
    },
  };
}

function intProduct(a: Numbers, b: Numbers, isSingle: boolean): DotProduct {
  let sum = 0;
  return {
    clear: () => {
      sum = 0;
    },
    add: (starts, strides, count) => {
      let i = starts[0] as number;
      let j = isSingle ? 0 : (starts[1] as number);
      for (let n = 0; n < count; n++, i += strides[0] as number, j += isSingle ? 0 : (strides[1] as number)) {
        sum = (sum + Math.imul(a[i]!, b[j]!)) | 0;
      }
    },
    store: (into, at) => {
      (into as Numbers)[at] = sum;
    },
  };
}

function bigProduct(a: BigInt64Array, b: BigInt64Array, isSingle: boolean): DotProduct {
  let sum = 0n;
  return {
    clear: () => {
      sum = 0n;
    },
    add: (starts, strides, count) => {
      let i = starts[0] as number;
      let j = isSingle ? 0 : (starts[1] as number);
      for (let n = 0; n < count; n++, i += strides[0] as number, j += isSingle ? 0 : (strides[1] as number)) {
        sum += a[i]! * b[j]!;
      }
    },
    store: (into, at) => {
      (into as BigInt64Array)[at] = BigInt.asIntN(64, sum);
    },
  };
}
