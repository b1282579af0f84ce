/** The nearest known name to one that is not known, for hints. */

/** The closest candidate if it is close enough to be what was meant. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Of several names at one distance, one of the same length is meant: letters are exchanged more often than left out.
  let bestGap = 0;
  let bestDistance = (name.length < 3 ? 0 : Math.max(1, Math.floor(name.length / 3))) + 1;
  for (const candidate of new Set(candidates)) {
    if (candidate === name || Math.abs(candidate.length - name.length) > bestDistance) continue;
    const found = candidate.toLowerCase() === name.toLowerCase() ? 0 : distance(name, candidate);
    const gap = Math.abs(candidate.length - name.length);
    if (found < bestDistance || (found === bestDistance && best !== undefined && gap < bestGap)) {
      best = candidate;
      bestDistance = found;
      bestGap = gap;
    }
  }
  return best;
}

/** The number of insertions, deletions, replacements and exchanges of neighbours between two names (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    const [above = [], aboveThat = []] = [rows[i - 1], rows[i - 2]];
    for (let j = 1; j <= b.length; j++) {
      const replace = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replace, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const isExchange = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isExchange) cost = Math.min(cost, (aboveThat[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}
