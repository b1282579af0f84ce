// Plots: what is drawn lies where the data say, and damaged or empty data are refused.

import { inflateSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  contourLines,
  decisionRegions,
  gridOf,
  gridPoints,
  heatmap,
  imageGrid,
  line,
  linePlot,
  plot,
  scatter,
  surfacePlot,
} from '../../runtime/plot/index.js';
import { makeScale } from '../../runtime/plot/scale.js';
import { Tensor } from '../../runtime/tensor.js';

const count = (svg: string, pattern: RegExp): number => [...svg.matchAll(pattern)].length;
const sound = (svg: string): void => {
  assert.is(count(svg, /NaN|Infinity|undefined/g), 0);
  assert.is(count(svg, /<svg/g), 1);
};

// The frame of a plot of 720 x 420 points.
const [left, right, top, bottom] = [70, 700, 40, 370];

test('points lie where the axes say', () => {
  const svg = plot([
    scatter({ name: 'p', x: [0, 10, 5], y: [0, 100, 50], classes: [0, 1, 1], classNames: ['no', 'yes'] }),
  ]);
  sound(svg);
  const circles = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="3.5"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
  assert.equal(circles, [
    [left, bottom],
    [right, top],
    [(left + right) / 2, (top + bottom) / 2],
  ]);
  assert.match(svg, />no<[\s\S]*>yes</);
  assert.throws(() => plot([scatter({ name: 'p', x: [1], y: [1], classes: [] })]), /0 classes for 1 points/);
  assert.throws(() => plot([scatter({ name: 'p', x: [1, 2], y: [1] })]), /2 places for 1 values/);
});

test('ranges cut, equal units stretch, and logarithmic axes show powers', () => {
  const svg = plot([line({ name: 'f', x: [0, 1], y: [0, 1], dashed: true })], {
    xRange: [0, 2],
    yRange: [0, 2],
    equal: true,
  });
  const [, points = ''] = /<polyline points="([^"]*)"/.exec(svg) ?? [];
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = points.split(/[ ,]/).map(Number);
  assert.ok(Math.abs(x1 - x0 - (y0 - y1)) < 0.05, points);
  assert.match(svg, /stroke-dasharray/);
  assert.match(svg, /clip-path/);
  const scale = makeScale('log', [0.02, 3], 0, 100, 6);
  assert.equal(scale.ticks, [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]);
  assert.ok(Math.abs(scale.place(3) - 100) < 1e-9);
  assert.equal(makeScale('log', [1e-3, 1e3], 0, 1, 6).ticks, [0.001, 0.01, 0.1, 1, 10, 100, 1000]);
  sound(linePlot([{ name: 'one', x: [1, 10], y: [1, 100] }], { xScale: 'log', yScale: 'log' }));
});

test('contour lines have the value of their level', () => {
  const grid = gridOf((x, y) => Math.hypot(x, y), [-2, 2], [-2, 2], 81);
  const svg = plot([contourLines(grid, { levels: [1], colour: '#000' })], { xRange: [-2, 2], yRange: [-2, 2] });
  sound(svg);
  const [, path = ''] = /<path d="([^"]*)" fill="none" stroke="#000"/.exec(svg) ?? [];
  const places = [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
  assert.ok(places.length > 50);
  for (const [px, py] of places) {
    const [x, y] = [-2 + (4 * (px - left)) / (right - left), -2 + (4 * (bottom - py)) / (bottom - top)];
    assert.ok(Math.abs(Math.hypot(x, y) - 1) < 0.02, `${x} ${y}`);
  }
  // A level that runs off the grid is open there: nothing is drawn along the border.
  const open = plot([
    contourLines(
      gridOf((x) => x, [0, 1], [0, 1], 11),
      { levels: [0.5], colour: '#000' },
    ),
  ]);
  const [, straight = ''] = /<path d="([^"]*)" fill="none" stroke="#000"/.exec(open) ?? [];
  for (const [, x] of straight.matchAll(/L([\d.]+) /g))
    assert.ok(Math.abs(Number(x) - (left + right) / 2) < 0.1, straight);
});

test('regions and heat maps cover the grid once', () => {
  const grid = gridPoints([0, 1], [0, 1], [4, 3]);
  assert.equal(grid.points.shape, [12, 2]);
  const shown = Array.from(grid.points.slice(0, 5).toNumbers(), (value) => Number(value.toFixed(3)));
  assert.equal(shown, [0, 0, 0.333, 0, 0.667, 0, 1, 0, 0, 0.5]);
  const svg = plot([decisionRegions({ ...grid, z: [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0] })]);
  sound(svg);
  const cells = [
    ...svg.matchAll(/<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="([\d.]+)" fill="(#0072b2|#d55e00)"/g),
  ];
  assert.is(cells.length, 5);
  const area = cells.reduce((sum, [, w, h]) => sum + Number(w) * Number(h), 0);
  assert.ok(Math.abs(area - (right - left) * (bottom - top)) < 30, String(area));
  sound(plot([heatmap(gridOf((x, y) => x * y, [0, 1], [0, 1], 5))]));
  assert.throws(() => plot([heatmap({ x: [0, 1], y: [0, 1], z: [1] })]), /2 x 2 points has 4 values, not 1/);
  assert.throws(() => plot([heatmap({ x: [0], y: [0, 1], z: [1, 2] })]), /at least 2 x 2 points/);
});

test('surfaces are drawn from back to front inside of the page', () => {
  const grid = gridOf((x, y) => x * x + y * y, [-1, 1], [-1, 1], 12);
  for (const azimuth of [-60, 30, 120, 210]) {
    for (const elevation of [10, 45, 80]) {
      const svg = surfacePlot(grid, {
        title: 'bowl',
        azimuth,
        elevation,
        trails: [{ x: [0, 1], y: [0, 1], z: [0, 2] }],
      });
      sound(svg);
      assert.is(count(svg, /<polygon/g), 121);
      const numbers = [...svg.matchAll(/points="([^"]*)"/g)].flatMap(([, points = '']) =>
        points.split(' ').map((point) => point.split(',').map(Number) as [number, number]),
      );
      assert.ok(numbers.every(([x, y]) => x >= 0 && x <= 640 && y >= 30 && y <= 520));
    }
  }
  sound(
    surfacePlot(
      gridOf((x, y) => 1 + x * x * y * y, [0, 3], [0, 3], 9),
      { zScale: 'log' },
    ),
  );
  assert.throws(() => surfacePlot({ x: [0, 1], y: [0, 1], z: [] }), /has as many values, not 0/);
  assert.throws(() => surfacePlot({ x: [0, 1], y: [0, 1], z: [NaN, NaN, NaN, NaN] }), /at least one finite height/);
});

/** The pixels of an embedded picture, which has no filters. */
function pixelsOf(svg: string): { width: number; height: number; bytes: number[] } {
  const [, data = ''] = /data:image\/png;base64,([^"]*)/.exec(svg) ?? [];
  const png = Buffer.from(data, 'base64');
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const length = png.readUInt32BE(33);
  const rows = inflateSync(png.subarray(41, 41 + length));
  const stride = rows.length / height;
  const bytes = Array.from({ length: height }, (_, row) => [
    ...rows.subarray(row * stride + 1, (row + 1) * stride),
  ]).flat();
  return { width, height, bytes };
}

test('image grids embed the pixels, and mark wrong predictions', () => {
  const images = Tensor.from(
    [
      [
        [0, 0.5, 1],
        [1, 0, 0],
      ],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    ],
    { dtype: 'f32' },
  );
  const svg = imageGrid(images, { labels: ['a', 'b'], predictions: ['a', 'c'], title: 'T <1>' });
  sound(svg);
  assert.equal(pixelsOf(svg), { width: 3, height: 2, bytes: [0, 128, 255, 255, 0, 0] });
  assert.is(count(svg, /<image/g), 2);
  assert.match(svg, /fill:#009e73">a</);
  assert.match(svg, /fill:#d62728">c</);
  assert.match(svg, /T &lt;1&gt;/);
  const colours = Tensor.from([[[[255]], [[128]], [[0]]]], { dtype: 'u8' });
  assert.equal(pixelsOf(imageGrid(colours)), { width: 1, height: 1, bytes: [255, 128, 0] });
  assert.throws(() => imageGrid(Tensor.zeros([2, 784])), /not \[2, 784\]/);
  assert.throws(() => imageGrid(images, { labels: ['a'] }), /1 labels for 2 images/);
});

test.run();
