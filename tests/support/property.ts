// What property tests draw: the same examples each time, so that what fails fails again and stands for the change at hand; `npm run fuzz` draws others,
// and more of them.

/** The seed of all draws. */
export const seed = Number(process.env.TDSL_TEST_SEED ?? 1);

/** By how much more examples are drawn than usual. */
export const share = Number(process.env.TDSL_TEST_RUNS ?? 1);

/** Parameters of `fc.assert` and `fc.sample`. */
export const draws = (numRuns: number): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: numRuns * share,
  seed,
});
