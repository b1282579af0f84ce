// What a training needs beside a compiled model: data, the loop, its measures, and pictures of how it went.

export * from '../data/index.js';
export * from '../plot/index.js';
export { Generator } from '../random.js';
export { allDigits, type DigitsOptions, mnistDigits } from './digits.js';
export { EarlyStopping, type EarlyStoppingOptions, type StateHolder } from './early-stopping.js';
export { FASHION_MNIST_LABELS, type FashionMnistOptions, fashionMnist } from './fashion-mnist.js';
export { type EvaluateOptions, evaluate, type FitOptions, fit, type History, type MethodName } from './fit.js';
export { type ImageData, ImageDataset, type ImageOptions } from './images.js';
export {
  accuracy,
  argmaxRows,
  type ClassificationReport,
  type ClassScores,
  classificationReport,
  confusionMatrix,
  countCorrect,
  RunningMean,
  topKAccuracy,
} from './metrics.js';
export {
  type EpochRecord,
  epochLine,
  type Progress,
  type ProgressStream,
  type StepProgress,
  textProgress,
} from './progress.js';
