// Data sets, their division, and loaders that draw batches from them.

export * from './dataset.js';
export * from './loader.js';
