// Surfaces over a grid as SVG text: seen from a direction without perspective, drawn from back to front, coloured by height and shaded by slope.

import { viridis } from './colours.js';
import type { Grid } from './marks.js';
import { extent, ticksBetween } from './scale.js';
import { picture, round, textAt, tickLabel } from './svg.js';

/** A path over a surface, such as the steps of an optimizer. */
export interface Trail {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly z: ArrayLike<number>;
  readonly colour?: string;
}

export interface SurfaceOptions {
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  readonly zLabel?: string;
  /** Degrees around the vertical axis; 0 looks along y, and -60 is where most plots look from. */
  readonly azimuth?: number;
  /** Degrees above the ground. */
  readonly elevation?: number;
  /** A logarithmic scale for heights above zero shows narrow valleys. */
  readonly zScale?: 'linear' | 'log';
  readonly zRange?: readonly [number, number];
  readonly trails?: readonly Trail[];
  readonly width?: number;
  readonly height?: number;
}

/** The height of the box in relation to its sides. */
const TALL = 0.7;

type Place = readonly [x: number, y: number, z: number];

/** An SVG picture of a surface with its box, ticks along the edges in front, and trails over it. */
export function surfacePlot(grid: Grid, options: SurfaceOptions = {}): string {
  const { title = '', xLabel = 'x', yLabel = 'y', zLabel = 'z', azimuth = -60, elevation = 30 } = options;
  const { zScale = 'linear', trails = [], width = 640, height = 520 } = options;
  const { x, y } = grid;
  if (x.length < 2 || y.length < 2 || grid.z.length !== x.length * y.length) {
    throw new RangeError(`a surface over ${x.length} x ${y.length} points has as many values, not ${grid.z.length}`);
  }
  const project = (value: number) => (zScale === 'log' ? Math.log10(value) : value);
  const z = Float64Array.from(grid.z, project);
  const [low, high] =
    (options.zRange?.map(project) as [number, number] | undefined) ?? extent(z.filter(Number.isFinite));
  if (!(high >= low)) throw new RangeError('a surface needs at least one finite height');
  const view = makeView(azimuth, elevation, width, height);
  const unit =
    ([from, to]: readonly [number, number]) =>
    (value: number) =>
      to > from ? (2 * (value - from)) / (to - from) - 1 : 0;
  const [ux, uy, uz] = [unit(extent(Array.from(x))), unit(extent(Array.from(y))), unit([low, high])];
  const place = (px: number, py: number, pz: number): Place => [
    ux(px),
    uy(py),
    TALL * uz(Math.min(high, Math.max(low, pz))),
  ];
  const quads = quadsOf(x, y, z, place, view, (value) => (value - low) / (high - low || 1));
  const lines = trails.map(({ x: tx, y: ty, z: tz, colour = '#d55e00' }) => {
    const points = Array.from(tx, (px, i) =>
      view
        .page(place(px, ty[i]!, project(tz[i]!)))
        .map(round)
        .join(','),
    );
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  });
  return picture(width, height, [
    ...boxOf(view, [
      { label: xLabel, ticks: ticksBetween(...extent(Array.from(x)), 5), at: ux, text: tickLabel },
      { label: yLabel, ticks: ticksBetween(...extent(Array.from(y)), 5), at: uy, text: tickLabel },
      {
        label: zLabel,
        ticks: ticksBetween(low, high, 5),
        at: (value) => TALL * uz(value),
        text: (tick) => tickLabel(zScale === 'log' ? 10 ** tick : tick),
      },
    ]),
    '<g stroke-width="0.4" stroke-linejoin="round">',
    ...quads,
    '</g>',
    ...lines,
    textAt(width / 2, 24, title, 'text-anchor="middle" style="font-size:15px"'),
  ]);
}

interface View {
  /** Where a point of the cube from -1 to 1 lies on the page. */
  page(place: Place): [number, number];
  /** How near a point is to the eye. */
  nearness(place: Place): number;
}

function makeView(azimuth: number, elevation: number, width: number, height: number): View {
  const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
  // The eye lies in the direction (cos a cos e, sin a cos e, sin e); right and up are the directions of the page.
  const right = [-Math.sin(a), Math.cos(a), 0] as const;
  const up = [-Math.cos(a) * Math.sin(e), -Math.sin(a) * Math.sin(e), Math.cos(e)] as const;
  const eye = [Math.cos(a) * Math.cos(e), Math.sin(a) * Math.cos(e), Math.sin(e)] as const;
  const dot = (u: Place, v: Place) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  // The cube fills the page but for the title and the labels of its edges.
  const spread = (direction: Place, tall: number) =>
    2 * (Math.abs(direction[0]) + Math.abs(direction[1]) + tall * Math.abs(direction[2]));
  const scale = Math.min((width - 150) / spread(right, TALL), (height - 130) / spread(up, TALL));
  const middle = 40 + (height - 40 - 50) / 2;
  return {
    page: (place) => [width / 2 + scale * dot(place, right), middle - scale * dot(place, up)],
    nearness: (place) => dot(place, eye),
  };
}

function quadsOf(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  z: Float64Array,
  place: (x: number, y: number, z: number) => Place,
  view: View,
  share: (z: number) => number,
): string[] {
  const quads: { nearness: number; text: string }[] = [];
  for (let row = 0; row + 1 < y.length; row++) {
    for (let column = 0; column + 1 < x.length; column++) {
      const at = [
        [column, row],
        [column + 1, row],
        [column + 1, row + 1],
        [column, row + 1],
      ] as const;
      const heights = at.map(([i, j]) => z[j * x.length + i]!);
      if (!heights.every(Number.isFinite)) continue;
      const places = at.map(([i, j], k) => place(x[i]!, y[j]!, heights[k]!));
      const mean = heights.reduce((sum, value) => sum + value, 0) / 4;
      const colour = viridis(share(mean), shadeOf(places as [Place, Place, Place, Place]));
      const points = places.map((corner) => view.page(corner).map(round).join(',')).join(' ');
      const nearness = places.reduce((sum, corner) => sum + view.nearness([corner[0], corner[1], 0]), 0);
      quads.push({ nearness, text: `<polygon points="${points}" fill="${colour}" stroke="${colour}"/>` });
    }
  }
  return quads.sort((a, b) => a.nearness - b.nearness).map(({ text }) => text);
}

/** How bright a piece is, lit from above on the left. */
function shadeOf([a, b, , d]: readonly [Place, Place, Place, Place]): number {
  const [u, v] = [b, d].map((corner) => [corner[0] - a[0], corner[1] - a[1], corner[2] - a[2]]) as [number[], number[]];
  const normal = [u[1]! * v[2]! - u[2]! * v[1]!, u[2]! * v[0]! - u[0]! * v[2]!, u[0]! * v[1]! - u[1]! * v[0]!];
  const length = Math.hypot(...normal) || 1;
  const light = (-0.4 * normal[0]! - 0.3 * normal[1]! + 0.87 * normal[2]!) / length;
  return 0.72 + 0.38 * Math.max(0, light);
}

interface BoxAxis {
  readonly label: string;
  readonly ticks: readonly number[];
  readonly at: (value: number) => number;
  readonly text: (tick: number) => string;
}

/** The walls behind the surface with their grid, and ticks along the edges that are in front. */
function boxOf(view: View, [x, y, z]: readonly [BoxAxis, BoxAxis, BoxAxis]): string[] {
  const path = (...places: Place[]) =>
    places.map((place, i) => `${i === 0 ? 'M' : 'L'}${view.page(place).map(round).join(' ')}`).join('');
  // The walls are those sides of the cube that face away from the eye.
  const farX = view.nearness([1, 0, 0]) > 0 ? -1 : 1;
  const farY = view.nearness([0, 1, 0]) > 0 ? -1 : 1;
  const [floor, top] = [-TALL, TALL];
  const grid = [
    ...x.ticks.map((tick) => path([x.at(tick), -farY, floor], [x.at(tick), farY, floor], [x.at(tick), farY, top])),
    ...y.ticks.map((tick) => path([-farX, y.at(tick), floor], [farX, y.at(tick), floor], [farX, y.at(tick), top])),
    ...z.ticks.map((tick) => path([-farX, farY, z.at(tick)], [farX, farY, z.at(tick)], [farX, -farY, z.at(tick)])),
  ];
  const frame = [
    path([-1, -1, floor], [1, -1, floor], [1, 1, floor], [-1, 1, floor], [-1, -1, floor]),
    path([-farX, farY, floor], [-farX, farY, top], [farX, farY, top], [farX, -farY, top], [farX, -farY, floor]),
    path([farX, farY, floor], [farX, farY, top]),
  ];
  const label = (place: Place, beside: Place, text: string, distance: number, style = '') => {
    const [[px, py], [bx, by]] = [view.page(place), view.page(beside)];
    const length = Math.hypot(px - bx, py - by) || 1;
    const [dx, dy] = [((px - bx) / length) * distance, ((py - by) / length) * distance];
    return textAt(px + dx, py + dy + 4, text, `text-anchor="middle"${style}`);
  };
  const bold = ' style="font-size:13px"';
  // The vertical ticks stand at the outer one of the two edges where a wall ends.
  const [edge, inner]: readonly [Place, Place] =
    view.page([-farX, farY, 0])[0] < view.page([farX, -farY, 0])[0]
      ? [
          [-farX, farY, 0],
          [farX, farY, 0],
        ]
      : [
          [farX, -farY, 0],
          [farX, farY, 0],
        ];
  const at = (place: Place, height: number): Place => [place[0], place[1], height];
  return [
    ...grid.map((d) => `<path d="${d}" class="grid"/>`),
    ...frame.map((d) => `<path d="${d}" class="frame"/>`),
    ...x.ticks.map((tick) => label([x.at(tick), -farY, floor], [x.at(tick), farY, floor], x.text(tick), 16)),
    ...y.ticks.map((tick) => label([-farX, y.at(tick), floor], [farX, y.at(tick), floor], y.text(tick), 16)),
    // A tick on the ground would lie over those of the sides.
    ...z.ticks
      .filter((tick) => z.at(tick) > floor + 0.06)
      .map((tick) => {
        const [px, py] = view.page(at(edge, z.at(tick)));
        return textAt(px - 7, py + 4, z.text(tick), 'text-anchor="end"');
      }),
    label([0, -farY, floor], [0, farY, floor], x.label, 38, bold),
    label([-farX, 0, floor], [farX, 0, floor], y.label, 38, bold),
    label(at(edge, 0), at(inner, 0), z.label, 52, bold),
  ];
}
