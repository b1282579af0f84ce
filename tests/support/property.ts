// What property tests draw: the same examples each time, so that what fails fails again and stands for the change at hand; `npm run fuzz` draws others,
// and more of them.

/** What stands for chance. */
export const seed = Number(process.env.TDSL_TEST_SEED ?? 1);

/** How many times as many examples as usual are drawn. */
export const share = Number(process.env.TDSL_TEST_RUNS ?? 1);

/** Parameters of `fc.assert` and `fc.sample`. */
export const draws = (numRuns: number): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: numRuns * share,
  seed,
});
