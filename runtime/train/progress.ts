// Shows how a training goes on: on a terminal one line that is rewritten while an epoch runs, elsewhere a line an epoch.

/** Where progress is written; `process.stderr` is one. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Where in a training one step is. Epochs and steps count from 1; the loss is the mean over the epoch so far. */
export interface StepProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  /** The number of steps of an epoch, where it is known. */
  readonly steps: number | undefined;
  readonly loss: number;
}

/** What is known when an epoch ends. */
export interface EpochRecord {
  readonly epoch: number;
  /** The mean loss of the epoch's examples, each measured before the step that learned from it. */
  readonly loss: number;
  /** The accuracy on the test data, where there are any. */
  readonly accuracy?: number;
  /** What the option `measure` gave, by name. */
  readonly measures?: Readonly<Record<string, number>>;
  /** Seconds for the steps, the test not included. */
  readonly seconds: number;
  readonly examples: number;
}

/** What `fit` tells of its progress. */
export interface Progress {
  step(at: StepProgress): void;
  epoch(record: EpochRecord, epochs: number): void;
}

const BAR_WIDTH = 24;
const REDRAW_MILLISECONDS = 100;

/** Progress as text on a stream. */
export function textProgress(stream: ProgressStream = process.stderr): Progress {
  const rewrites = stream.isTTY === true;
  let lastDrawn = Number.NEGATIVE_INFINITY;
  return {
    step(at) {
      const now = performance.now();
      if (!rewrites || now - lastDrawn < REDRAW_MILLISECONDS) return;
      lastDrawn = now;
      stream.write(`\r\x1b[2K${stepLine(at).slice(0, (stream.columns ?? 80) - 1)}`);
    },
    epoch(record, epochs) {
      lastDrawn = Number.NEGATIVE_INFINITY;
      stream.write(`${rewrites ? '\r\x1b[2K' : ''}${epochLine(record, epochs)}\n`);
    },
  };
}

function epochLabel(epoch: number, epochs: number): string {
  return `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`;
}

function stepLine({ epoch, epochs, step, steps, loss }: StepProgress): string {
  const filled = steps === undefined ? 0 : Math.round((step / steps) * BAR_WIDTH);
  const bar = steps === undefined ? '' : `  ${'━'.repeat(filled)}${'╌'.repeat(BAR_WIDTH - filled)}`;
  return `${epochLabel(epoch, epochs)}${bar}  step ${step}${steps === undefined ? '' : `/${steps}`}  loss ${loss.toFixed(4)}`;
}

/** One epoch in a line: `epoch 2/5  loss 0.4312  accuracy 0.8512  1.9 s  31600 examples/s`. */
export function epochLine(record: EpochRecord, epochs: number): string {
  const accuracy = record.accuracy === undefined ? '' : `  accuracy ${record.accuracy.toFixed(4)}`;
  const measures = Object.entries(record.measures ?? {})
    .map(([name, value]) => `  ${name} ${value.toFixed(4)}`)
    .join('');
  const rate = record.seconds > 0 ? `  ${Math.round(record.examples / record.seconds)} examples/s` : '';
  return `${epochLabel(record.epoch, epochs)}  loss ${record.loss.toFixed(4)}${accuracy}${measures}  ${record.seconds.toFixed(1)} s${rate}`;
}
