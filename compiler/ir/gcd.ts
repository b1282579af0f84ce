// The greatest common divisor, by which strides, guards and sizes are reduced.

/** The greatest common divisor of two whole numbers, not negative; that of 0 and 0 is 0. */
export const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
