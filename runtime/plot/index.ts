// Pictures as SVG text: lines, points, boundaries, contours, surfaces and images.

export { type ImageGridOptions, imageGrid } from './images.js';
export {
  type ContourOptions,
  contourLines,
  decisionRegions,
  type Grid,
  heatmap,
  line,
  type Mark,
  type Points,
  type Series,
  scatter,
} from './marks.js';
export { type GridPoints, gridOf, gridPoints, linePlot, type PlotOptions, plot } from './plot.js';
export { type SurfaceOptions, surfacePlot, type Trail } from './surface.js';
