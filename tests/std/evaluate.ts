// Evaluates expressions of the language by the reference interpreter, for tests of the library.

import { interpret } from '../../cli/backends.js';
import { nodeHost } from '../../cli/host.js';
import { renderDiagnostic } from '../../compiler/diagnostics/report.js';
import { compileExpression } from '../../compiler/index.js';
import { dimConst } from '../../compiler/ir/dims.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { pipelines, runPipeline } from '../../compiler/pipeline.js';

export type Inputs = Readonly<Record<string, HostTensor>>;

/** A function of an expression: the tensors of its inputs, in the order in which they were declared, to its results. */
export type Evaluate = (inputs: readonly HostTensor[]) => readonly HostTensor[];

/** Compiles an expression for inputs of these types. Throws the diagnostics of an expression that does not compile. */
export function compileFor(expr: string, inputs: Inputs): Evaluate {
  const types = Object.entries(inputs).map(([name, { dtype, shape }]) => ({
    name,
    type: { dtype, shape: shape.map((n) => dimConst(n)) },
  }));
  const { program, diagnostics } = compileExpression(expr, types, nodeHost());
  if (program === undefined) throw new Error(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic)).join('\n'));
  const instance = interpret(runPipeline(program, pipelines.reference));
  instance.seed(1);
  return (tensors) => instance.run('main', tensors);
}

/** The results of an expression. */
export const evaluate = (expr: string, inputs: Inputs = {}): readonly HostTensor[] =>
  compileFor(expr, inputs)(Object.values(inputs));
