// What a plot shows: lines, points, contour lines and areas, as data. The functions give each its kind; `plot` draws them over common axes.

import { contours as makeContours } from 'd3-contour';
import { distinct, viridis } from './colours.js';
import { extent, type Scale, ticksBetween } from './scale.js';
import { round } from './svg.js';

/** One line of a plot. Where x is missing the points are numbered from 1. Points that are not finite leave gaps. */
export interface Series {
  readonly name: string;
  readonly x?: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly colour?: string;
  readonly dashed?: boolean;
}

/** Points; with `classes`, numbers of classes, each class has a colour of its own. */
export interface Points {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly classes?: ArrayLike<number>;
  /** The names of the classes for the legend. */
  readonly classNames?: readonly string[];
  readonly colour?: string;
  readonly radius?: number;
}

/** Values over a grid: `z` has a row for each of y, with a value for each of x, one after the other. */
export interface Grid {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly z: ArrayLike<number>;
}

export interface ContourOptions {
  /** The values that have lines, or about how many round ones. */
  readonly levels?: readonly number[] | number;
  /** One colour in the place of a scale from dark for low to light for high. */
  readonly colour?: string;
}

export type Mark =
  | { readonly kind: 'line'; readonly series: Series }
  | { readonly kind: 'scatter'; readonly points: Points }
  | { readonly kind: 'contours'; readonly grid: Grid; readonly options: ContourOptions }
  | { readonly kind: 'regions'; readonly grid: Grid; readonly of: 'classes' | 'values' };

/** A line through points. */
export const line = (series: Series): Mark => ({ kind: 'line', series });

/** Points that no line joins. */
export const scatter = (points: Points): Mark => ({ kind: 'scatter', points });

/** The lines along which values over a grid are equal. */
export const contourLines = (grid: Grid, options: ContourOptions = {}): Mark => ({ kind: 'contours', grid, options });

/** The areas of classes over a grid, whose z are numbers of classes: a decision boundary is where they meet. */
export const decisionRegions = (grid: Grid): Mark => ({ kind: 'regions', grid, of: 'classes' });

/** Values over a grid as colours. */
export const heatmap = (grid: Grid): Mark => ({ kind: 'regions', grid, of: 'values' });

/** Where marks are drawn. */
export interface Axes {
  readonly xs: Scale;
  readonly ys: Scale;
  /** Whether a point can be drawn: finite, and positive along logarithmic axes. */
  shown(x: number, y: number): boolean;
}

export type Point = readonly [x: number, y: number];

/** A mark that was checked: its points, which decide the ranges of the axes, how it is drawn, and what the legend says of it. */
export interface Prepared {
  readonly points: readonly Point[];
  draw(axes: Axes): string[];
  readonly legend: readonly { readonly name: string; readonly colour: string; readonly kind: 'line' | 'point' }[];
}

/** Prepares the i-th mark; marks without a colour of their own take the i-th one. */
export function prepare(mark: Mark, i: number): Prepared {
  switch (mark.kind) {
    case 'line':
      return prepareLine(mark.series, mark.series.colour ?? distinct(i));
    case 'scatter':
      return prepareScatter(mark.points, mark.points.colour ?? distinct(i));
    case 'contours':
      return prepareContours(mark.grid, mark.options);
    case 'regions':
      return prepareRegions(mark.grid, mark.of);
  }
}

function pointsOf(name: string, x: ArrayLike<number> | undefined, y: ArrayLike<number>): Point[] {
  if (x !== undefined && x.length !== y.length) {
    throw new RangeError(`the line ${name} has ${x.length} places for ${y.length} values`);
  }
  return Array.from(y, (value, i): Point => [x === undefined ? i + 1 : x[i]!, value]);
}

function prepareLine({ name, x, y, dashed }: Series, colour: string): Prepared {
  const points = pointsOf(name, x, y);
  const stroke = `stroke="${colour}" stroke-width="1.5"${dashed ? ' stroke-dasharray="6 4"' : ''}`;
  return {
    points,
    draw: (axes) => {
      const pieces: Point[][] = [[]];
      for (const point of points) {
        if (axes.shown(...point)) pieces.at(-1)!.push(point);
        else if (pieces.at(-1)!.length > 0) pieces.push([]);
      }
      return pieces.flatMap((piece) => {
        const places = piece.map(([px, py]) => [round(axes.xs.place(px)), round(axes.ys.place(py))] as const);
        if (places.length === 1)
          return [`<circle cx="${places[0]![0]}" cy="${places[0]![1]}" r="2.5" fill="${colour}"/>`];
        return places.length === 0 ? [] : [`<polyline points="${places.join(' ')}" fill="none" ${stroke}/>`];
      });
    },
    legend: [{ name, colour, kind: 'line' }],
  };
}

function prepareScatter({ name, x, y, classes, classNames, radius = 3.5 }: Points, colour: string): Prepared {
  const points = pointsOf(name, x, y);
  if (classes !== undefined && classes.length !== points.length) {
    throw new RangeError(`the points ${name} have ${classes.length} classes for ${points.length} points`);
  }
  const colourOf = (i: number): string => (classes === undefined ? colour : distinct(classes[i]!));
  const present = classes === undefined ? [] : [...new Set(Array.from(classes))].sort((a, b) => a - b);
  return {
    points,
    draw: ({ xs, ys, shown }) =>
      points.flatMap(([px, py], i) =>
        shown(px, py)
          ? [
              `<circle cx="${round(xs.place(px))}" cy="${round(ys.place(py))}" r="${radius}" fill="${colourOf(i)}" fill-opacity="0.8" stroke="#fff" stroke-width="0.7"/>`,
            ]
          : [],
      ),
    legend:
      classes === undefined
        ? [{ name, colour, kind: 'point' }]
        : present.map((number) => ({
            name: classNames?.[number] ?? `${name} ${number}`,
            colour: distinct(number),
            kind: 'point' as const,
          })),
  };
}

function checkGrid({ x, y, z }: Grid): void {
  if (x.length < 2 || y.length < 2)
    throw new RangeError(`a grid has at least 2 x 2 points, not ${x.length} x ${y.length}`);
  if (z.length !== x.length * y.length) {
    throw new RangeError(
      `a grid of ${x.length} x ${y.length} points has ${x.length * y.length} values, not ${z.length}`,
    );
  }
}

const corners = ({ x, y }: Grid): Point[] => [
  [x[0]!, y[0]!],
  [x[x.length - 1]!, y[y.length - 1]!],
];

/** The place between the points of an axis at which a fractional index lies. */
function interpolate(axis: ArrayLike<number>, index: number): number {
  const low = Math.min(Math.max(Math.floor(index), 0), axis.length - 2);
  return axis[low]! + (axis[low + 1]! - axis[low]!) * (index - low);
}

function prepareContours(grid: Grid, { levels = 12, colour }: ContourOptions): Prepared {
  checkGrid(grid);
  const { x, y, z } = grid;
  const finite = Array.from(z).filter(Number.isFinite);
  const [low, high] = extent(finite);
  const values = typeof levels === 'number' ? ticksBetween(low, high, levels) : levels;
  const made = makeContours()
    .size([x.length, y.length])
    .thresholds([...values])(Array.from(z));
  return {
    points: corners(grid),
    draw: ({ xs, ys }) =>
      made.flatMap((contour, i) => {
        // Half a step lies between the centres, where the values are, and the corners that the contours count from; what runs along the border
        // of the grid is no contour.
        const place = ([px, py]: readonly number[]): Point => [
          xs.place(interpolate(x, px! - 0.5)),
          ys.place(interpolate(y, py! - 0.5)),
        ];
        const onBorder = ([px, py]: readonly number[]) =>
          px! <= 0.5 || py! <= 0.5 || px! >= x.length - 0.5 || py! >= y.length - 0.5;
        const path = contour.coordinates.flat().map((ring) => {
          let text = '';
          let drawing = false;
          for (let k = 1; k < ring.length; k++) {
            const [from, to] = [ring[k - 1]!, ring[k]!];
            const along = onBorder(from) && onBorder(to);
            if (!along)
              text += `${drawing ? '' : `M${place(from).map(round).join(' ')}`}L${place(to).map(round).join(' ')}`;
            drawing = !along;
          }
          return text;
        });
        // By their order, since levels often grow by factors.
        const stroke = colour ?? viridis((0.9 * i) / Math.max(1, made.length - 1));
        return path.join('') === ''
          ? []
          : [`<path d="${path.join('')}" fill="none" stroke="${stroke}" stroke-width="1.2"/>`];
      }),
    legend: [],
  };
}

/** The borders of the cells around the points of an axis, on the page. */
function cellEdges(axis: ArrayLike<number>, scale: Scale): number[] {
  const places = Array.from(axis, (value) => scale.place(value));
  const inner = places.slice(1).map((place, i) => (place + places[i]!) / 2);
  return [places[0]!, ...inner, places.at(-1)!];
}

function prepareRegions(grid: Grid, of: 'classes' | 'values'): Prepared {
  checkGrid(grid);
  const { x, y, z } = grid;
  const [low, high] = extent(Array.from(z).filter(Number.isFinite));
  const fill = (value: number): string | undefined => {
    if (!Number.isFinite(value)) return undefined;
    return of === 'classes' ? distinct(Math.round(value)) : viridis((value - low) / (high - low || 1));
  };
  const opacity = of === 'classes' ? ' fill-opacity="0.22"' : '';
  return {
    points: corners(grid),
    draw: ({ xs, ys }) => {
      const [left, top] = [cellEdges(x, xs), cellEdges(y, ys)];
      const cells: string[] = [];
      for (let row = 0; row < y.length; row++) {
        // Neighbours of one colour are one rectangle.
        for (let start = 0, end = 1; start < x.length; start = end, end++) {
          const colour = fill(z[row * x.length + start]!);
          while (end < x.length && fill(z[row * x.length + end]!) === colour) end++;
          if (colour === undefined) continue;
          const [x0, x1] = [round(left[start]!), round(left[end]!)];
          const [y0, y1] = [top[row]!, top[row + 1]!].sort((a, b) => a - b).map(round) as [number, number];
          cells.push(
            `<rect x="${x0}" y="${y0}" width="${round(x1 - x0)}" height="${round(y1 - y0)}" fill="${colour}"/>`,
          );
        }
      }
      return [`<g shape-rendering="crispEdges"${opacity}>`, ...cells, '</g>'];
    },
    legend: [],
  };
}
