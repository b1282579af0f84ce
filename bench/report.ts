// What was measured as rows: for the screen, as JSON, as a table in Markdown, as a picture.

import type { Cost } from './costs.js';
import type { Outcome, Times } from './run.js';

/** One element a workload and peer; the names are those that docs and issues state. */
export interface Row {
  readonly suite: string;
  readonly workload: string;
  readonly threads: number;
  readonly ours_ms: number;
  /** Empty where nothing is compared. */
  readonly peer: string;
  readonly peer_ms: number | null;
  /** peer ÷ ours */
  readonly ratio: number | null;
  readonly floor_ms: number | null;
  /** floor ÷ ours */
  readonly floor_fraction: number | null;
  readonly note: string;
  /** Built with fixed dimensions. */
  readonly fixed_ms: number | null;
  /** The ratio of the lower quartiles: less troubled by what else the machine does. */
  readonly low_ratio: number | null;
  /** The ratio that is aimed at. */
  readonly target: number | null;
}

const rounded = (value: number): number => Number(value.toPrecision(4));

export function rowsOf({ workload, threads, ours, fixed, peers, floorMilliseconds }: Outcome): Row[] {
  const { target } = workload;
  const timed = peers.flatMap(({ name, times }) => (times === undefined ? [] : [{ name, times }]));
  const best = timed.reduce<string | undefined>(
    (found, { name, times }) =>
      timed.some((other) => other.name === found && other.times.median <= times.median) ? found : name,
    undefined,
  );
  const row = (peer: string, times: Times | undefined, note: string): Row => {
    const aimed = target !== undefined && (target.peer === peer || (target.peer === 'best' && peer === best));
    return {
      suite: workload.suite,
      workload: workload.name,
      threads,
      ours_ms: rounded(ours.median),
      peer,
      peer_ms: times === undefined ? null : rounded(times.median),
      ratio: times === undefined ? null : rounded(times.median / ours.median),
      floor_ms: rounded(floorMilliseconds),
      floor_fraction: rounded(floorMilliseconds / ours.median),
      note,
      fixed_ms: fixed === undefined ? null : rounded(fixed.median),
      low_ratio: times === undefined ? null : rounded(times.low / ours.low),
      target: aimed ? (target.ratio[threads === 1 ? 0 : 1] ?? null) : null,
    };
  };
  if (peers.length === 0) return [row('', undefined, '')];
  return peers.map(({ name, version, times, error }) =>
    row(`${name}`, times, error ?? (version === '' ? '' : `${name} ${version}`)),
  );
}

/** The row of a cost: its limit stands in the place of a peer, so that a ratio of 1 or more keeps it. */
export const rowOfCost = ({ suite, name, limit, note }: Cost, threads: number, { median, low }: Times): Row => ({
  suite,
  workload: name,
  threads,
  ours_ms: rounded(median),
  peer: LIMIT,
  peer_ms: limit,
  ratio: rounded(limit / median),
  floor_ms: null,
  floor_fraction: null,
  note,
  fixed_ms: null,
  low_ratio: rounded(limit / low),
  target: 1,
});

const LIMIT = 'limit';

const number = (value: number | null): string =>
  value === null ? '–' : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
const percent = (value: number | null): string => (value === null ? '–' : `${Math.round(100 * value)} %`);

const COLUMNS = [
  'workload',
  'threads',
  'ours ms',
  '--dim ms',
  'peer',
  'peer ms',
  'ratio',
  '(low)',
  'target',
  'floor ms',
  'of floor',
  'note',
];

function cells(row: Row): string[] {
  return [
    row.workload,
    String(row.threads),
    number(row.ours_ms),
    number(row.fixed_ms),
    row.peer,
    number(row.peer_ms),
    number(row.ratio),
    number(row.low_ratio),
    row.target === null ? '' : String(row.target),
    number(row.floor_ms),
    percent(row.floor_fraction),
    row.note,
  ];
}

const WIDTHS = [24, 7, 9, 9, 12, 9, 7, 7, 6, 9, 8, 0];

/** A line for the screen; without a row the headings. */
export const line = (row?: Row): string =>
  (row === undefined ? COLUMNS : cells(row))
    .map((text, i) => (i === 0 || i === 4 || i === 11 ? text.padEnd(WIDTHS[i] ?? 0) : text.padStart(WIDTHS[i] ?? 0)))
    .join(' ');

/** The table of bench/README.md. */
export function markdown(rows: readonly Row[]): string {
  const shown = rows.map((row) => {
    const [workload, threads, ours, fixed, peer, peerTime, ratio, low, target, floor, fraction, note] = cells(row);
    const missed = row.ratio !== null && row.ratio < (row.target ?? 1);
    return `| ${workload} | ${threads} | ${ours} | ${fixed} | ${peer} | ${peerTime} | ${missed ? ratio : `**${ratio}**`} | ${low} | ${target} | ${floor} | ${fraction} | ${peerTime === '–' ? note : ''} |`;
  });
  return [`| ${COLUMNS.join(' | ')} |`, `|${COLUMNS.map(() => '---|').join('')}`, ...shown].join('\n');
}

/** Bars of the ratios on a logarithmic scale; the line is equality. */
export function picture(rows: readonly Row[]): string {
  const shown = rows.filter((row) => row.ratio !== null && row.peer !== 'tfjs' && row.peer !== LIMIT);
  const [left, height, width] = [330, 18, 420];
  const limits = [0.125, 32].map(Math.log2) as [number, number];
  const place = (ratio: number): number =>
    left + (width * (Math.min(Math.max(Math.log2(ratio), limits[0]), limits[1]) - limits[0])) / (limits[1] - limits[0]);
  const colours: Readonly<Record<string, string>> = { numpy: '#e69f00', torch: '#d55e00', onnxruntime: '#0072b2' };
  const one = place(1);
  const bars = shown.map((row, i) => {
    const ratio = row.ratio ?? 1;
    const y = 40 + i * height;
    const [from, to] = [Math.min(one, place(ratio)), Math.max(one, place(ratio))];
    const label = `${row.workload}, ${row.peer}, ${row.threads} thread${row.threads === 1 ? '' : 's'}`;
    return `<text x="${left - 8}" y="${y + 12}" text-anchor="end">${label}</text><rect x="${from.toFixed(1)}" y="${y + 2}" width="${Math.max(1, to - from).toFixed(1)}" height="${height - 5}" fill="${colours[row.peer] ?? '#888'}"/><text x="${(Math.max(to, one) + 5).toFixed(1)}" y="${y + 12}">${number(ratio)}</text>`;
  });
  const bottom = 40 + shown.length * height;
  const ticks = [0.25, 0.5, 1, 2, 4, 8, 16].map(
    (ratio) =>
      `<line x1="${place(ratio).toFixed(1)}" x2="${place(ratio).toFixed(1)}" y1="36" y2="${bottom}" stroke="${ratio === 1 ? '#000' : '#ddd'}"/><text x="${place(ratio).toFixed(1)}" y="30" text-anchor="middle">${ratio}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 60}" height="${bottom + 10}" font-family="sans-serif" font-size="11">
<title>Time of peers by time of tdsl</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${left}" y="14">time of the peer ÷ ours (more is better)</text>
${ticks.join('\n')}
${bars.join('\n')}
</svg>
`;
}
