// What the scheduler knows about a CPU: its vector registers, and how fast it works on them.

/** A class of CPUs for which code is generated. */
export interface Machine {
  readonly name: string;
  readonly vectorBytes: number;
  readonly vectorRegisters: number;
  /** Vectors of products that a core begins in a cycle. Where models of a class differ, the least. */
  readonly productsPerCycle: number;
  /**
   * Cycles from one step of a sum to the next, however few products it has: what a multiply-add takes, and what is lost where a load comes late and
   * nothing else is under way.
   */
  readonly stepCycles: number;
}

/** The classes of CPUs, the widest first. `predicate` is the test of the C preprocessor that holds on machines of the class. */
export const machines: readonly (Machine & { readonly predicate: string })[] = [
  {
    name: 'avx512',
    vectorBytes: 64,
    vectorRegisters: 32,
    productsPerCycle: 1,
    stepCycles: 8,
    predicate:
      'defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__F16C__)',
  },
  {
    name: 'avx2',
    vectorBytes: 32,
    vectorRegisters: 16,
    productsPerCycle: 2,
    stepCycles: 5,
    predicate: 'defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)',
  },
  {
    name: 'neon',
    vectorBytes: 16,
    vectorRegisters: 32,
    productsPerCycle: 2,
    stepCycles: 5,
    predicate: 'defined(__aarch64__)',
  },
  { name: 'baseline', vectorBytes: 16, vectorRegisters: 16, productsPerCycle: 2, stepCycles: 5, predicate: '1' },
];

/** The class of the processor for which a C compiler predefines these macros (what `cc -dM -E` prints). */
export function machineOf(macros: string): Machine {
  const defined = new Set(Array.from(macros.matchAll(/^#define (\w+)/gm), ([, name]) => name));
  const holds = (predicate: string): boolean =>
    Array.from(predicate.matchAll(/defined\((\w+)\)/g), ([, name]) => name).every((name) => defined.has(name));
  return machines.find(({ predicate }) => holds(predicate)) as Machine;
}

/** Bytes of a line of the caches: what comes from memory at once, on all of these machines. */
export const CACHE_LINE = 64;

/** The number of lanes of a vector loop in which the widest element has `bytes` bytes; narrower elements take part of a register. */
export const lanesOf = (machine: Machine, bytes: number): number => machine.vectorBytes / Math.max(4, bytes);
