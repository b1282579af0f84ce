// Data sets, their division, and loaders that draw batches from them.

export * from './dataset.js';
export * from './loader.js';
export * from './synthetic.js';
export * from './text.js';
export * from './transforms.js';
