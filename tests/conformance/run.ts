// Runs the cases of a group on a backend.

import { type BackendName, type Instance, interpret, native } from '../../cli/backends.js';
import { type Lowered, lower } from '../../cli/build.js';
import { mergePrograms } from '../../cli/merge.js';
import type { HostTensor } from '../../compiler/ir/evaluate/tensor.js';
import { hostTensor } from '../../compiler/ir/evaluate/tensor.js';
import type { Program } from '../../compiler/program.js';
import { type Case, type CaseTensor, caseNumber, functionName, type Group } from './cases.js';
import { difference, gradientOptions, statisticsDifference } from './compare.js';
import { runErrorCase } from './error-cases.js';
import { loadHostModule, runHostCase } from './host-cases.js';
import { caseProgram, gradientRequest } from './programs.js';

export interface Outcome {
  readonly id: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
}

/** Runs an entry of a case's program on the case's tensors. */
type Run = (entry: string, inputs: readonly HostTensor[]) => readonly HostTensor[];

const passed = ({ id }: Case): Outcome => ({ id, status: 'passed' });
const failed = ({ id }: Case, reason: string): Outcome => ({ id, status: 'failed', reason });
const outcome = (testCase: Case, reason: string | undefined): Outcome =>
  reason === undefined ? passed(testCase) : failed(testCase, reason);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const fromCase = ({ dtype, shape, data = [] }: Omit<CaseTensor, 'name'>): HostTensor =>
  hostTensor(dtype, shape, data.map(caseNumber));

/** Inputs that a `shape` case names without data: zeros. */
const zeros = (dtype: CaseTensor['dtype'], shape: readonly number[]): HostTensor =>
  hostTensor(dtype, shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0));

function inputTensors(testCase: Case): readonly HostTensor[] {
  const given = (testCase.inputs ?? []).map(fromCase);
  const names = new Set((testCase.inputs ?? []).map(({ name }) => name));
  const shaped = Object.entries(testCase.input_shapes ?? {}).filter(([name]) => !names.has(name));
  return [
    ...given,
    ...shaped.map(([, spec]) => ('shape' in spec ? zeros(spec.dtype, spec.shape) : zeros('f32', spec))),
  ];
}

/** Compares the outputs, the statistics and the gradients of a case: the reason why it fails, or undefined. */
function judge(testCase: Case, run: Run): string | undefined {
  const inputs = inputTensors(testCase);
  const outputs = run('main', inputs);
  const wanted = testCase.outputs ?? [];
  if (outputs.length !== wanted.length) return `${outputs.length} outputs, want ${wanted.length}`;
  for (const [i, want] of wanted.entries()) {
    const got = outputs[i];
    if (got === undefined) return `there is no output ${i}`;
    const reason =
      difference(got, want, { tolerance: testCase.tol }) ??
      (testCase.expect === undefined ? undefined : statisticsDifference(got, testCase.expect));
    if (reason !== undefined) return `output ${want.name}: ${reason}`;
  }
  return judgeGradients(testCase, inputs, run);
}

function judgeGradients(testCase: Case, inputs: readonly HostTensor[], run: Run): string | undefined {
  const request = gradientRequest(testCase);
  if (request === undefined) return undefined;
  const cotangents = request.cotangentOutputs.flatMap((i) => {
    const output = testCase.outputs?.[i];
    return output === undefined
      ? []
      : [hostTensor(output.dtype, output.shape, (testCase.cotangents?.[output.name] ?? []).map(caseNumber))];
  });
  const gradients = run('main_grad', [...inputs, ...cotangents]).slice(testCase.outputs?.length ?? 0);
  for (const [i, name] of request.wrt.entries()) {
    const got = gradients[i];
    const input = testCase.inputs?.find((candidate) => candidate.name === name);
    if (got === undefined || input === undefined) return `there is no gradient of ${name}`;
    // An input that is not connected has no recorded gradient; zeros are right.
    const want = testCase.grads?.[name] ?? {
      dtype: input.dtype,
      shape: input.shape,
      data: (input.data ?? []).map(() => 0),
    };
    const reason = difference(got, want, gradientOptions(testCase));
    if (reason !== undefined) return `gradient of ${name}: ${reason}`;
  }
  return undefined;
}

interface Prepared {
  readonly testCase: Case;
  readonly lowered: Lowered;
}

/** Runs prepared cases on one backend: natively all of a group are built into one addon. */
async function runPrepared(
  group: string,
  prepared: readonly Prepared[],
  backend: BackendName,
): Promise<readonly Outcome[]> {
  if (backend === 'interpreter') {
    return prepared.map(({ testCase, lowered }) => attempt(testCase, () => interpret(lowered.program), ''));
  }
  const parts = prepared.map(({ testCase, lowered }) => ({
    prefix: functionName(testCase.id),
    program: lowered.program,
  }));
  const program: Program = mergePrograms(group.replace(/\W/g, '_'), parts);
  // More threads than most machines that run tests have cores: chunks then end in any order.
  process.env.TDSL_THREADS ??= '4';
  const instance = await native({ program, stages: new Map() }, backend);
  return prepared.map(({ testCase }) => attempt(testCase, () => instance, `${functionName(testCase.id)}.`));
}

function attempt(testCase: Case, make: () => Instance, prefix: string): Outcome {
  try {
    const instance = make();
    instance.seed(420, `${prefix}init`);
    return outcome(
      testCase,
      judge(testCase, (entry, inputs) => instance.run(`${prefix}${entry}`, inputs)),
    );
  } catch (error) {
    return failed(testCase, messageOf(error));
  }
}

/** When a group does not build as a whole, each case is built alone, so that one bad case fails alone. */
async function runNative(
  group: string,
  prepared: readonly Prepared[],
  backend: BackendName,
): Promise<readonly Outcome[]> {
  try {
    return await runPrepared(group, prepared, backend);
  } catch (error) {
    if (prepared.length === 1 && prepared[0] !== undefined) return [failed(prepared[0].testCase, messageOf(error))];
    const half = Math.ceil(prepared.length / 2);
    return [
      ...(await runNative(group, prepared.slice(0, half), backend)),
      ...(await runNative(group, prepared.slice(half), backend)),
    ];
  }
}

/** Outcomes of all cases of a group, in the order of the cases. */
export async function runGroup(
  group: Group,
  backend: BackendName,
  transcriptions: string,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<string, Outcome>();
  const prepared: Prepared[] = [];
  const hostModule = await loadHostModule(group.group, transcriptions);
  for (const testCase of group.cases) {
    try {
      if (testCase.kind === 'error')
        outcomes.set(testCase.id, outcome(testCase, await runErrorCase(testCase, transcriptions, hostModule)));
      else if (testCase.host === true || testCase.kind === 'struct' || testCase.kind === 'text') {
        outcomes.set(testCase.id, outcome(testCase, await runHostCase(testCase, hostModule)));
      } else prepared.push({ testCase, lowered: lower(caseProgram(testCase, transcriptions)) });
    } catch (error) {
      outcomes.set(testCase.id, failed(testCase, messageOf(error)));
    }
  }
  const run =
    backend !== 'interpreter' && prepared.length > 0
      ? runNative(group.group, prepared, backend)
      : runPrepared(group.group, prepared, 'interpreter');
  for (const result of await run) outcomes.set(result.id, result);
  return group.cases.map((testCase) => outcomes.get(testCase.id) ?? failed(testCase, 'the case did not run'));
}
