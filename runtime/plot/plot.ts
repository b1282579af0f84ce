// Plots over two axes as SVG text, which needs no document: learning curves, activation functions, points with decision boundaries, contours.

import { elementCount } from '../shape.js';
import { Tensor } from '../tensor.js';
import { type Axes, type Grid, line, type Mark, type Point, type Prepared, prepare, type Series } from './marks.js';
import { extent, makeScale, type ScaleKind } from './scale.js';
import { picture, round, textAt, tickLabel } from './svg.js';

export interface PlotOptions {
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** A logarithmic scale leaves out what is not above zero. */
  readonly xScale?: ScaleKind;
  readonly yScale?: ScaleKind;
  /** The ends of an axis; what lies outside is cut off. Those of the data unless given. */
  readonly xRange?: readonly [number, number];
  readonly yRange?: readonly [number, number];
  /** Whether one unit is equally long on both axes. */
  readonly equal?: boolean;
  /** Whether there is a legend; where there are several names, unless given. */
  readonly legend?: boolean;
  readonly width?: number;
  readonly height?: number;
}

const MARGIN = { top: 40, right: 20, bottom: 50, left: 70 };

/** An SVG picture of marks over common axes, with a grid and a legend. Later marks lie over earlier ones. */
export function plot(marks: readonly Mark[], options: PlotOptions = {}): string {
  const {
    title = '',
    xLabel = '',
    yLabel = '',
    xScale = 'linear',
    yScale = 'linear',
    width = 720,
    height = 420,
  } = options;
  const visible = (value: number, kind: ScaleKind) => Number.isFinite(value) && (kind === 'linear' || value > 0);
  const shown = (x: number, y: number) => visible(x, xScale) && visible(y, yScale);
  const prepared = marks.map(prepare);
  const points = prepared.flatMap((mark) => mark.points).filter((point) => shown(...point));
  if (points.length === 0) throw new RangeError('a plot needs at least one finite point');
  const frame = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
  const axes = { ...makeAxes(points, frame, options), shown };
  const { left, right, top, bottom } = frame;
  // Pictures of one page share their names, so that a name says what it stands for.
  const clip = `frame-${left}-${top}-${right}-${bottom}`;
  return picture(width, height, [
    `<clipPath id="${clip}"><rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/></clipPath>`,
    ...gridLines(axes, frame),
    `<path d="M${left} ${top}V${bottom}H${right}" class="frame"/>`,
    `<g clip-path="url(#${clip})">`,
    ...prepared.flatMap((mark) => mark.draw(axes)),
    '</g>',
    ...legendOf(prepared, frame, options.legend),
    textAt((left + right) / 2, 22, title, 'text-anchor="middle" style="font-size:15px"'),
    textAt((left + right) / 2, height - 12, xLabel, 'text-anchor="middle"'),
    textAt(
      16,
      (top + bottom) / 2,
      yLabel,
      `text-anchor="middle" transform="rotate(-90 16 ${round((top + bottom) / 2)})"`,
    ),
  ]);
}

/** An SVG picture of lines, with axes, a grid, and a legend where there are several. */
export const linePlot = (series: readonly Series[], options: PlotOptions = {}): string =>
  plot(series.map(line), options);

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function makeAxes(points: readonly Point[], frame: Frame, options: PlotOptions): Pick<Axes, 'xs' | 'ys'> {
  const { xScale = 'linear', yScale = 'linear' } = options;
  let x = options.xRange ?? extent(points.map(([value]) => value));
  let y = options.yRange ?? extent(points.map(([, value]) => value));
  if (options.equal) [x, y] = withEqualUnits(x, y, frame);
  return {
    xs: makeScale(xScale, x, frame.left, frame.right, 8),
    ys: makeScale(yScale, y, frame.bottom, frame.top, 6),
  };
}

/** Ranges around the same middles of which one is wider, so that units are equally long. */
function withEqualUnits(
  x: readonly [number, number],
  y: readonly [number, number],
  { left, right, top, bottom }: Frame,
): [[number, number], [number, number]] {
  const unit = Math.max((x[1] - x[0]) / (right - left), (y[1] - y[0]) / (bottom - top)) || 1;
  const around = ([low, high]: readonly [number, number], pixels: number): [number, number] => {
    const [middle, half] = [(low + high) / 2, (unit * pixels) / 2];
    return [middle - half, middle + half];
  };
  return [around(x, right - left), around(y, bottom - top)];
}

function gridLines({ xs, ys }: Axes, { left, right, top, bottom }: Frame): string[] {
  return [
    ...xs.ticks.flatMap((tick) => {
      const x = round(xs.place(tick));
      return [
        `<path d="M${x} ${top}V${bottom}" class="grid"/>`,
        textAt(x, bottom + 18, tickLabel(tick), 'text-anchor="middle"'),
      ];
    }),
    ...ys.ticks.flatMap((tick) => {
      const y = round(ys.place(tick));
      return [
        `<path d="M${left} ${y}H${right}" class="grid"/>`,
        textAt(left - 8, y + 4, tickLabel(tick), 'text-anchor="end"'),
      ];
    }),
  ];
}

function legendOf(marks: readonly Prepared[], { right, top }: Frame, wanted: boolean | undefined): string[] {
  const entries = marks.flatMap((mark) => mark.legend);
  if (!(wanted ?? entries.length > 1)) return [];
  const longest = Math.max(0, ...entries.map(({ name }) => name.length));
  const left = right - 44 - 6.6 * longest;
  return [
    `<rect x="${round(left - 8)}" y="${top + 2}" width="${round(right - left + 4)}" height="${18 * entries.length + 8}" fill="#fff" fill-opacity="0.75"/>`,
    ...entries.flatMap(({ name, colour, kind }, i) => {
      const y = top + 18 + 18 * i;
      const symbol =
        kind === 'line'
          ? `<path d="M${round(left)} ${y - 4}h18" stroke="${colour}" stroke-width="3"/>`
          : `<circle cx="${round(left + 9)}" cy="${y - 4}" r="4" fill="${colour}"/>`;
      return [symbol, textAt(left + 24, y, name)];
    }),
  ];
}

/** The points of a grid: its axes, and all points as a tensor [points, 2], for a model to judge. */
export interface GridPoints {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly points: Tensor<'f32', [number, 2]>;
}

/**
 * An evenly spaced grid. Points follow each other along x first, so that what a model says of them is the `z` of a grid:
 * `decisionRegions({ ...grid, z: s.predict({ x: grid.points }).toNumbers() })`.
 */
export function gridPoints(
  xRange: readonly [number, number],
  yRange: readonly [number, number],
  steps: number | readonly [number, number] = 100,
): GridPoints {
  const [columns, rows] = typeof steps === 'number' ? [steps, steps] : steps;
  const axis = ([low, high]: readonly [number, number], count: number): Float64Array =>
    Float64Array.from({ length: elementCount([count]) }, (_, i) => low + ((high - low) * i) / Math.max(1, count - 1));
  const [x, y] = [axis(xRange, columns), axis(yRange, rows)];
  const data = new Float32Array(2 * columns * rows);
  for (let i = 0; i < columns * rows; i++) {
    data[2 * i] = x[i % columns]!;
    data[2 * i + 1] = y[Math.floor(i / columns)]!;
  }
  return { x, y, points: new Tensor<'f32', [number, 2]>('f32', [columns * rows, 2], data) };
}

/** A function's values over a grid. */
export function gridOf(
  f: (x: number, y: number) => number,
  xRange: readonly [number, number],
  yRange: readonly [number, number],
  steps: number | readonly [number, number] = 60,
): Grid {
  const { x, y } = gridPoints(xRange, yRange, steps);
  const z = new Float64Array(x.length * y.length);
  for (let i = 0; i < z.length; i++) z[i] = f(x[i % x.length]!, y[Math.floor(i / x.length)]!);
  return { x, y, z };
}
