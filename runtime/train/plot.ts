// Line plots as SVG text, which needs no document and no library: learning curves, activation functions, schedules.

/** One line of a plot. Where x is missing the points are numbered from 1. Points that are not finite leave gaps. */
export interface Series {
  readonly name: string;
  readonly x?: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

export interface PlotOptions {
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** A logarithmic scale leaves out what is not above zero. */
  readonly yScale?: 'linear' | 'log';
  readonly width?: number;
  readonly height?: number;
}

/** Colours that people with any kind of colour vision tell apart (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

const MARGIN = { top: 40, right: 20, bottom: 50, left: 70 };

type Point = readonly [x: number, y: number];

/** One axis: from what the data say to where it lies on the page. */
interface Scale {
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** Round numbers that cover a range in about `count` steps of 1, 2 or 5 times a power of ten. */
export function ticksBetween(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((multiple) => multiple * power >= rough * 0.999) ?? 10);
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  // Dividing by a whole number keeps 0.3 from becoming 0.30000000000000004.
  const inverse = 1 / step;
  return Array.from({ length: last - first + 1 }, (_, i) =>
    step < 1 ? (first + i) / Math.round(inverse) : (first + i) * step,
  );
}

function linearScale(values: readonly number[], from: number, to: number, count: number): Scale {
  const [least, most] = extent(values);
  const pad = most > least ? 0 : Math.abs(most) * 0.1 || 1;
  const [low, high] = [least - pad, most + pad];
  return {
    ticks: ticksBetween(low, high, count),
    place: (value) => from + ((value - low) / (high - low)) * (to - from),
  };
}

function logScale(values: readonly number[], from: number, to: number, count: number): Scale {
  const inner = linearScale(values.map(Math.log10), from, to, count);
  const decades = inner.ticks.filter(Number.isInteger).map((power) => 10 ** power);
  // A range within one or two decades has too few powers of ten: round numbers stand in for them.
  const ticks = decades.length >= 3 ? decades : ticksBetween(...extent(values), count).filter((tick) => tick > 0);
  return { ticks, place: (value) => inner.place(Math.log10(value)) };
}

function extent(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

/** An SVG picture of lines, with axes, a grid, and a legend where there are several. */
export function linePlot(series: readonly Series[], options: PlotOptions = {}): string {
  const { title = '', xLabel = '', yLabel = '', yScale = 'linear', width = 720, height = 420 } = options;
  const shown = (x: number, y: number) => Number.isFinite(x) && Number.isFinite(y) && (yScale === 'linear' || y > 0);
  const lines = series.map((line) => ({ name: line.name, pieces: piecesOf(line, shown) }));
  const points = lines.flatMap(({ pieces }) => pieces.flat());
  if (points.length === 0) throw new RangeError('a plot needs at least one finite point');
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const xs = linearScale(
    points.map(([x]) => x),
    left,
    right,
    8,
  );
  const ys = (yScale === 'log' ? logScale : linearScale)(
    points.map(([, y]) => y),
    bottom,
    top,
    6,
  );
  const text = (x: number, y: number, content: string, extra: string) =>
    content && `<text x="${round(x)}" y="${round(y)}" ${extra}>${escapeXml(content)}</text>`;
  const grid = [
    ...xs.ticks.flatMap((tick) => {
      const x = round(xs.place(tick));
      return [
        `<path d="M${x} ${top}V${bottom}" class="grid"/>`,
        text(x, bottom + 18, label(tick), 'text-anchor="middle"'),
      ];
    }),
    ...ys.ticks.flatMap((tick) => {
      const y = round(ys.place(tick));
      return [
        `<path d="M${left} ${y}H${right}" class="grid"/>`,
        text(left - 8, y + 4, label(tick), 'text-anchor="end"'),
      ];
    }),
  ];
  const curves = lines.flatMap(({ pieces }, i) => pieces.map((piece) => curve(piece, xs, ys, colour(i))));
  const legend =
    lines.length < 2
      ? []
      : lines.flatMap(({ name }, i) => legendEntry(name, right - 150, top + 16 + 18 * i, colour(i)));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    '<style>text{font:12px sans-serif;fill:#333}.grid{stroke:#ddd;fill:none}.frame{stroke:#888;fill:none}</style>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...grid,
    `<path d="M${left} ${top}V${bottom}H${right}" class="frame"/>`,
    ...curves,
    ...legend,
    text((left + right) / 2, 22, title, 'text-anchor="middle" style="font-size:15px"'),
    text((left + right) / 2, height - 12, xLabel, 'text-anchor="middle"'),
    text(
      16,
      (top + bottom) / 2,
      yLabel,
      `text-anchor="middle" transform="rotate(-90 16 ${round((top + bottom) / 2)})"`,
    ),
    '</svg>',
  ]
    .filter(Boolean)
    .join('\n')}\n`;
}

/** The runs of points of a line that can be shown. */
function piecesOf({ name, x, y }: Series, shown: (x: number, y: number) => boolean): Point[][] {
  if (x !== undefined && x.length !== y.length) {
    throw new RangeError(`the line ${name} has ${x.length} places for ${y.length} values`);
  }
  const pieces: Point[][] = [[]];
  for (let i = 0; i < y.length; i++) {
    const point: Point = [x === undefined ? i + 1 : x[i]!, y[i]!];
    if (shown(...point)) pieces.at(-1)!.push(point);
    else if (pieces.at(-1)!.length > 0) pieces.push([]);
  }
  return pieces.filter((piece) => piece.length > 0);
}

function curve(piece: readonly Point[], xs: Scale, ys: Scale, stroke: string): string {
  const places = piece.map(([x, y]) => `${round(xs.place(x))},${round(ys.place(y))}`);
  if (places.length > 1)
    return `<polyline points="${places.join(' ')}" fill="none" stroke="${stroke}" stroke-width="1.5"/>`;
  const [x, y] = places[0]!.split(',');
  return `<circle cx="${x}" cy="${y}" r="2.5" fill="${stroke}"/>`;
}

function legendEntry(name: string, x: number, y: number, stroke: string): string[] {
  return [
    `<path d="M${round(x)} ${y - 4}h18" stroke="${stroke}" stroke-width="3"/>`,
    `<text x="${round(x + 24)}" y="${y}">${escapeXml(name)}</text>`,
  ];
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length]!;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A tick as text: ten digits hide that 0.0001 is no binary number, and very large and small ones turn scientific. */
function label(tick: number): string {
  const rounded = Number(tick.toPrecision(10));
  const size = Math.abs(rounded);
  return size !== 0 && (size >= 1e6 || size < 1e-3) ? rounded.toExponential().replace('e+', 'e') : String(rounded);
}

function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
