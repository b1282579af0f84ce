// Colours of plots: distinct ones for what has names, and a scale for values.

/** Colours that people with any kind of colour vision tell apart (Okabe and Ito). */
const DISTINCT = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

/** The colour of the i-th of several things. */
export const distinct = (i: number): string => DISTINCT[i % DISTINCT.length]!;

/** Nine equidistant colours of viridis (van der Walt and Smith, 2015), which grows evenly in brightness. */
const VIRIDIS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
] as const;

/** The colour of a share between 0 and 1, with its brightness changed by `shade` (1: as it is). */
export function viridis(share: number, shade = 1): string {
  const place = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(place), VIRIDIS.length - 2);
  const [from, to] = [VIRIDIS[low]!, VIRIDIS[low + 1]!];
  const channels = from.map((value, i) =>
    Math.min(255, Math.round((value + (to[i]! - value) * (place - low)) * shade))
      .toString(16)
      .padStart(2, '0'),
  );
  return `#${channels.join('')}`;
}
