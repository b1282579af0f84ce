// Builds the reference cases for a machine with a GPU and without Node: a library for each group, and what goes into its entries and should come out.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, lower } from '../../cli/build.js';
import { mergePrograms, type Part } from '../../cli/merge.js';
import { packageRoot } from '../../cli/package.js';
import type { CudaKind } from '../../codegen/build/cuda.js';
import { type Case, type CaseTensor, functionName, readGroups } from '../../tests/conformance/cases.js';
import { caseProgram, gradientRequest } from '../../tests/conformance/programs.js';

/** One call of an entry: operands, and the results that are wanted after `skip` others. */
interface Call {
  readonly entry: string;
  readonly inputs: readonly Omit<CaseTensor, 'name'>[];
  readonly skip: number;
  readonly wanted: readonly Omit<CaseTensor, 'name'>[];
  /** Whether 0 is as good as NaN. */
  readonly zeroForNan: boolean;
}

interface ExportedCase {
  readonly id: string;
  /** The entry that makes the state of the case. */
  readonly init: string | undefined;
  readonly tolerance: Case['tol'];
  readonly calls: readonly Call[];
}

const zeros = (shape: readonly number[]): readonly number[] =>
  new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0);

function inputsOf({ inputs = [], input_shapes: shapes = {} }: Case): readonly Omit<CaseTensor, 'name'>[] {
  const named = new Set(inputs.map(({ name }) => name));
  const shaped = Object.entries(shapes).filter(([name]) => !named.has(name));
  return [
    ...inputs.map((input) => ({ ...input, data: input.data ?? zeros(input.shape) })),
    ...shaped.map(([, spec]) => {
      const { dtype, shape } = 'shape' in spec ? spec : ({ dtype: 'f32', shape: spec } as const);
      return { dtype, shape, data: zeros(shape) };
    }),
  ];
}

function callsOf(testCase: Case, prefix: string): readonly Call[] {
  const inputs = inputsOf(testCase);
  const { outputs = [], cotangents = {}, grads = {}, tags = [] } = testCase;
  const main: Call = { entry: `${prefix}.main`, inputs, skip: 0, wanted: outputs, zeroForNan: false };
  const request = gradientRequest(testCase);
  if (request === undefined) return [main];
  const given = request.cotangentOutputs.flatMap((i) => {
    const output = outputs[i];
    return output === undefined ? [] : [{ ...output, data: cotangents[output.name] ?? [] }];
  });
  const wanted = request.wrt.flatMap((name) => {
    const input = testCase.inputs?.find((candidate) => candidate.name === name);
    return input === undefined ? [] : [grads[name] ?? { ...input, data: zeros(input.shape) }];
  });
  const zeroForNan = tags.includes('nan-grad');
  return [
    main,
    { entry: `${prefix}.main_grad`, inputs: [...inputs, ...given], skip: outputs.length, wanted, zeroForNan },
  ];
}

/** Builds the groups of a folder of cases, or one of them. Cases that a host program answers, and those that ask for statistics, stay behind. */
export async function buildConformance(cases: string, directory: string, cuda: CudaKind, only?: string): Promise<void> {
  const transcriptions = path.join(packageRoot, 'tests', 'conformance');
  for (const { group, cases: all } of readGroups(cases, only)) {
    const parts: Part[] = [];
    const exported: ExportedCase[] = [];
    for (const testCase of all) {
      const isPlain = (testCase.kind === 'op' || testCase.kind === 'trace') && testCase.host !== true;
      if (!isPlain || testCase.expect !== undefined) continue;
      const prefix = functionName(testCase.id);
      const { program } = lower(caseProgram(testCase, transcriptions));
      parts.push({ prefix, program });
      const hasInit = program.entries.some(({ name }) => name === 'init');
      const init = hasInit ? `${prefix}.init` : undefined;
      exported.push({ id: testCase.id, init, tolerance: testCase.tol, calls: callsOf(testCase, prefix) });
    }
    if (parts.length === 0) continue;
    const name = group.replace(/\W/g, '_');
    const outDir = path.join(directory, 'conformance', name);
    mkdirSync(outDir, { recursive: true });
    const program = mergePrograms(name, parts);
    await build({ program, stages: new Map() }, { outDir, mode: 'release', emit: 'lib', cuda });
    writeFileSync(path.join(outDir, 'cases.json'), JSON.stringify(exported));
    console.log(`conformance/${name} ${exported.length} cases`);
  }
}
