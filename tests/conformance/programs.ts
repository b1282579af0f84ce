// Finds and compiles the program of a case: its own expression, or its transcription.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { nodeHost } from '../../cli/host.js';
import type { Diagnostic } from '../../compiler/diagnostics/report.js';
import { renderDiagnostic } from '../../compiler/diagnostics/report.js';
import {
  type Compiled,
  compileExpression,
  compileFunction,
  type ExpressionInput,
  Workspace,
} from '../../compiler/index.js';
import { dimConst } from '../../compiler/ir/dims.js';
import { type DType, isFloat } from '../../compiler/ir/dtype.js';
import { hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Program } from '../../compiler/program.js';
import { type Case, caseNumber, functionName } from './cases.js';

/** Files are parsed once for all cases. */
const workspace = new Workspace(nodeHost());

/** A case cannot run: no transcription, or the compiler refuses it. */
export class CaseError extends Error {
  override readonly name = 'CaseError';
}

/** The inputs whose gradient the case records, and the outputs whose cotangents it gives, by position. */
export interface GradientRequest {
  readonly wrt: readonly string[];
  readonly cotangentOutputs: readonly number[];
}

/** What the gradient of a case is of, or undefined where none was recorded. */
export function gradientRequest(testCase: Case): GradientRequest | undefined {
  const { grads, cotangents, inputs = [], outputs = [] } = testCase;
  if (grads === undefined || cotangents === undefined) return undefined;
  const wrt = inputs.filter(({ name, dtype }) => isFloat(dtype) && grads[name] !== undefined).map(({ name }) => name);
  const cotangentOutputs = outputs.flatMap(({ name }, i) => (cotangents[name] === undefined ? [] : [i]));
  return wrt.length === 0 ? undefined : { wrt, cotangentOutputs };
}

function inputTypes(testCase: Case): readonly ExpressionInput[] {
  const fromData = (testCase.inputs ?? []).map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const fromShapes = Object.entries(testCase.input_shapes ?? {}).map(([name, given]) => ({
    name,
    dtype: 'dtype' in given ? given.dtype : ('f32' satisfies DType),
    shape: 'shape' in given ? given.shape : given,
  }));
  const known = new Set(fromData.map(({ name }) => name));
  return [...fromData, ...fromShapes.filter(({ name }) => !known.has(name))].map(({ name, dtype, shape }) => ({
    name,
    type: { dtype, shape: shape.map(dimConst) },
  }));
}

function withData(testCase: Case, inputs: readonly ExpressionInput[]): readonly ExpressionInput[] {
  return inputs.map((input) => {
    const tensor = testCase.inputs?.find(({ name }) => name === input.name);
    return tensor?.data === undefined
      ? input
      : { ...input, data: hostTensor(tensor.dtype, tensor.shape, tensor.data.map(caseNumber)) };
  });
}

const describe = (diagnostics: readonly Diagnostic[]): string =>
  diagnostics
    .filter(({ severity }) => severity === 'error')
    .slice(0, 2)
    .map((diagnostic) => renderDiagnostic(diagnostic))
    .join('\n');

/** The program of a case, with an entry `main` and, where a gradient is wanted, `main_grad`. */
export function caseProgram(testCase: Case, transcriptions: string): Program {
  const gradient = gradientRequest(testCase);
  const options = gradient === undefined ? {} : { gradient };
  const inputs = inputTypes(testCase);
  const file = path.join(transcriptions, `${testCase.group}.td`);
  const fromFile = testCase.expr === undefined;
  if (fromFile && !existsSync(file))
    throw new CaseError(`there is no transcription: ${path.basename(file)} is missing`);
  const compileFor = (given: readonly ExpressionInput[]): Compiled =>
    fromFile
      ? compileFunction(file, functionName(testCase.id), given, workspace, options)
      : compileExpression(testCase.expr ?? '', given, workspace, options);
  const general = compileFor(inputs);
  // Where a shape depends on data, the program is made for the data of the case.
  const { program, diagnostics } = general.diagnostics.some(({ code }) => code === 'L0903')
    ? compileFor(withData(testCase, inputs))
    : general;
  if (program === undefined) throw new CaseError(describe(diagnostics) || 'no program, and no diagnostic either');
  return program;
}
