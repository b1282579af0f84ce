// Fused multiply-add with one rounding, which JavaScript does not have.

/** `a · b + c` rounded once. */
export type Fma = (a: number, b: number, c: number) => number;

/** Both versions; they share scratch memory for the bits of a double. */
export function createFma(): { readonly f32: Fma; readonly f64: Fma } {
  const float = new Float64Array(1);
  const words = new Uint32Array(float.buffer);
  const bits = new BigUint64Array(float.buffer);
  // The low word comes first on a little-endian machine.
  float[0] = 1;
  const low = words[0] === 0 ? 0 : 1;

  /** `sum + error` rounded to odd, for the rounded sum of two doubles and its exact error: no later rounding to fewer bits is wrong then. */
  const toOdd = (sum: number, error: number): number => {
    if (error === 0 || !Number.isFinite(sum)) return sum;
    float[0] = sum;
    if (((words[low] as number) & 1) === 1) return sum;
    // The exact value lies between the even `sum` and its neighbour in the direction of the error, which is odd.
    bits[0] = (bits[0] as bigint) + (error > 0 === sum > 0 ? 1n : -1n);
    return float[0];
  };

  const f32: Fma = (a, b, c) => {
    // A product of two f32 is exact in f64; only the sum rounds.
    const product = a * b;
    const sum = product + c;
    return Math.fround(toOdd(sum, sumError(product, c, sum)));
  };

  const f64: Fma = (a, b, c) => {
    const product = a * b;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return product + c;
    if (!Number.isFinite(c) || a === 0 || b === 0) return Number.isFinite(c) ? product + c : c;
    if (c === 0) return product;
    if (
      !isModerate(a, 2 ** 500) ||
      !isModerate(b, 2 ** 500) ||
      !isModerate(c, 2 ** 900) ||
      !isModerate(product, 2 ** 900)
    ) {
      return exactFma(a, b, c, (value) => {
        float[0] = value;
        return bits[0] as bigint;
      });
    }
    // Boldo and Melquiond, Emulation of FMA and correctly rounded sums (2008): only the smaller parts are rounded to odd.
    const productLow = productError(a, b, product);
    const high = c + productLow;
    const highError = sumError(c, productLow, high);
    const total = product + high;
    const totalError = sumError(product, high, total);
    const rest = totalError + highError;
    return total + toOdd(rest, sumError(totalError, highError, rest));
  };
  return { f32, f64 };
}

const isModerate = (x: number, bound: number): boolean => Math.abs(x) < bound && Math.abs(x) > 1 / bound;

/** The exact error of a rounded sum (Knuth's TwoSum); 0 where the sum is not finite. */
function sumError(a: number, b: number, sum: number): number {
  if (!Number.isFinite(sum)) return 0;
  const part = sum - a;
  return a - (sum - part) + (b - part);
}

/** The exact error of a rounded product (Dekker's product with Veltkamp's splitting). */
function productError(a: number, b: number, product: number): number {
  const aHigh = highHalf(a);
  const bHigh = highHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

function highHalf(x: number): number {
  const scaled = x * 134217729;
  return scaled - (scaled - x);
}

/** By integers of any size; `a`, `b` and `c` are finite and not 0. */
function exactFma(a: number, b: number, c: number, bitsOf: (value: number) => bigint): number {
  const [ma, ea] = decompose(bitsOf(a));
  const [mb, eb] = decompose(bitsOf(b));
  const [mc, ec] = decompose(bitsOf(c));
  const exponent = Math.min(ea + eb, ec);
  const sum = ((ma * mb) << BigInt(ea + eb - exponent)) + (mc << BigInt(ec - exponent));
  return roundToDouble(sum, exponent);
}

/** A finite double as `mantissa · 2^exponent`. */
function decompose(bits: bigint): [bigint, number] {
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = field === 0 ? fraction : fraction | (1n << 52n);
  return [bits >> 63n === 1n ? -mantissa : mantissa, Math.max(field, 1) - 1075];
}

/** The double nearest to `mantissa · 2^exponent`, ties to even. */
function roundToDouble(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const size = mantissa < 0n ? -mantissa : mantissa;
  const length = size.toString(2).length;
  const drop = Math.max(length - 53, -1074 - exponent);
  let kept = size;
  if (drop > 0) {
    const shift = BigInt(drop);
    kept = size >> shift;
    const rest = size - (kept << shift);
    const half = 1n << (shift - 1n);
    if (rest > half || (rest === half && (kept & 1n) === 1n)) kept += 1n;
  }
  const power = drop > 0 ? exponent + drop : exponent;
  // Two factors, since 2^power alone may leave the range; both products are exact.
  const half = Math.trunc(power / 2);
  const magnitude = Number(kept) * 2 ** half * 2 ** (power - half);
  return mantissa < 0n ? -magnitude : magnitude;
}
