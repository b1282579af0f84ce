// Host functions of the reference cases about data sets and loaders.

import { Tensor } from 'tdsl';
import { batchRanges, DataLoader, FASHION_MNIST_LABELS, kFolds, TensorDataset } from 'tdsl/train';

export const data_batch_ranges = () => batchRanges(25, 10);

export function data_dataloader_drop_last(): unknown {
  const dataset = new TensorDataset([Tensor.arange(7).cast('f32')] as const);
  return [...new DataLoader(dataset, { batch: 3, dropLast: true })].map(([batch]) => batch.toArray());
}

export const data_kfold_ranges = () => kFolds(10, 5);

export const data_fashion_labels = () => [9, 2, 1, 1, 6].map((label) => FASHION_MNIST_LABELS[label]);
