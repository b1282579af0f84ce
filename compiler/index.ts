// The compiler as a library: programs, single functions and expressions from source text to graphs, with diagnostics.

import {
  type Body,
  bodyEntry,
  callBody,
  type ExpressionInput,
  type GradientRequest,
  gradientEntry,
  type Session,
} from './check/entry.js';
import {
  beginSession,
  checkOthers,
  elaborateExports,
  exportedState,
  finishProgram,
  initEntry,
} from './check/program.js';
import { Scope } from './check/scope.js';
import { dimensionNames } from './check/signature.js';
import { makeUnit, type Unit, Workspace } from './check/workspace.js';
import { nearest } from './diagnostics/nearest.js';
import { type Diagnostic, diagnostic, sortDiagnostics } from './diagnostics/report.js';
import type { Host } from './host.js';
import { dimConst } from './ir/dims.js';
import type { DType } from './ir/dtype.js';
import type { Program } from './program.js';
import type * as ast from './syntax/ast.js';
import { parseExpression } from './syntax/parser.js';

export type { ExpressionInput, GradientRequest } from './check/entry.js';
export { Workspace } from './check/workspace.js';
export type { Host } from './host.js';
export type { Program } from './program.js';

export interface CompileOptions {
  /** Run-time dimensions that are fixed, by name. */
  readonly dims?: Readonly<Record<string, number>>;
  /** The dtype of floats that state none; what the file states, or f32. */
  readonly defaultFloat?: DType;
  /** Which functions become entries: the exported ones, or those named. */
  readonly entries?: 'exported' | readonly string[];
}

export interface EvaluateOptions extends CompileOptions {
  /** Asks for the entry `main_grad` too. */
  readonly gradient?: GradientRequest;
}

export interface Compiled {
  /** Absent when there are errors. */
  readonly program?: Program;
  readonly diagnostics: readonly Diagnostic[];
}

const workspaceOf = (host: Host | Workspace): Workspace => (host instanceof Workspace ? host : new Workspace(host));

/** Collects diagnostics: each once. */
class Collector {
  readonly found: Diagnostic[] = [];
  readonly add = (d: Diagnostic): void => {
    const same = (other: Diagnostic) =>
      other.code === d.code &&
      other.source === d.source &&
      other.span.start === d.span.start &&
      other.span.end === d.span.end;
    if (!this.found.some(same) && !this.#follows(d)) this.found.push(d);
  };

  /** Whether an error is about text that is malformed, which is reported already. */
  #follows(d: Diagnostic): boolean {
    const isSyntax = ({ code }: Diagnostic) => code.startsWith('E01');
    if (isSyntax(d)) return false;
    return this.found.some(
      (other) =>
        isSyntax(other) && other.source === d.source && d.span.start < other.span.end && other.span.start < d.span.end,
    );
  }

  get hasErrors(): boolean {
    return this.found.some(({ severity }) => severity === 'error');
  }

  finish(program: () => Program): Compiled {
    const diagnostics = sortDiagnostics(this.found);
    return this.hasErrors ? { diagnostics } : { program: program(), diagnostics };
  }
}

function missingFile(path: string): Compiled {
  const source = { path, text: '' };
  return {
    diagnostics: [diagnostic('E0203', { source, span: { start: 0, end: 0 }, message: `there is no file ${path}` })],
  };
}

function begin(workspace: Workspace, unit: Unit, options: CompileOptions, collector: Collector): Session {
  unit.diagnostics.forEach(collector.add);
  const dims = new Map(Object.entries(options.dims ?? {}).map(([name, size]) => [name, dimConst(size)]));
  const defaultFloat = options.defaultFloat ?? unit.defaultFloat ?? 'f32';
  return beginSession(workspace, unit, { defaultFloat, dims, fixed: dims }, collector.add);
}

/** The last part of a path without its extension, and with letters and digits of any script, `-` and `_` alone. */
export const fileTitle = (path: string): string =>
  (path.split(/[\\/]/).at(-1) ?? path)
    .replace(/\.td$/, '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '_')
    .replace(/^(?![\p{L}_])/u, '_');

/** The name of a file as one that libraries and functions of C can have; letters outside of ASCII are their numbers, so that names stay apart. */
const programName = (path: string): string =>
  fileTitle(path).replace(/[^A-Za-z0-9_-]/gu, (letter) => `u${letter.codePointAt(0)?.toString(16)}`);

/** Complains about functions and dimensions that are asked for and that the file does not have. */
function checkRequests(unit: Unit, { entries, dims = {} }: CompileOptions, collector: Collector): void {
  const known = {
    function: unit.file.items.flatMap((item) => (item.kind === 'Fn' ? [item.name.name] : [])),
    dimension: [...dimensionNames(unit)],
  };
  const request = (what: keyof typeof known, name: string): void => {
    const names = known[what];
    if (names.includes(name)) return;
    const hint = nearest(name, names);
    const all = names.length === 0 ? `it has no ${what}s` : `it has ${names.join(', ')}`;
    collector.add(
      diagnostic('E0201', {
        source: unit.source,
        span: { start: 0, end: 0 },
        message: `the file has no ${what} \`${name}\``,
        help: hint === undefined ? all : `did you mean \`${hint}\`?`,
      }),
    );
  };
  if (Array.isArray(entries)) for (const name of entries) request('function', name);
  for (const name of Object.keys(dims)) request('dimension', name);
}

/** The program of a file: its entries, the functions that they need, and its state. */
export function compile(path: string, host: Host | Workspace, options: CompileOptions = {}): Compiled {
  const workspace = workspaceOf(host);
  const unit = workspace.unit(path);
  if (unit === undefined) return missingFile(path);
  const collector = new Collector();
  const session = begin(workspace, unit, options, collector);
  checkRequests(unit, options, collector);
  const names = options.entries === undefined || options.entries === 'exported' ? undefined : options.entries;
  const entries = elaborateExports(session, names);
  return collector.finish(() => finishProgram(session, programName(path), entries));
}

/** Like `compile`, and also checks functions and models that no export reaches. */
export function checkFile(path: string, host: Host | Workspace, options: CompileOptions = {}): Compiled {
  const workspace = workspaceOf(host);
  const unit = workspace.unit(path);
  if (unit === undefined) return missingFile(path);
  const collector = new Collector();
  const session = begin(workspace, unit, options, collector);
  const entries = elaborateExports(session, undefined);
  const program = collector.hasErrors
    ? undefined
    : finishProgram({ ...session, functions: new Map(session.functions) }, programName(path), entries);
  checkOthers(session);
  const diagnostics = sortDiagnostics(collector.found);
  return collector.hasErrors || program === undefined ? { diagnostics } : { program, diagnostics };
}

/** One expression over named inputs: the entry `main`, and `main_grad` where a gradient is asked for. */
export function compileExpression(
  text: string,
  inputs: readonly ExpressionInput[],
  host: Host | Workspace,
  options: EvaluateOptions = {},
): Compiled {
  const workspace = workspaceOf(host);
  const source = { path: '<expression>', text };
  const { expr, diagnostics } = parseExpression(source);
  const empty = makeUnit(source.path, { path: source.path, text: '' }, false);
  const unit: Unit = { ...empty, source };
  const collector = new Collector();
  diagnostics.forEach(collector.add);
  const session = begin(workspace, unit, options, collector);
  const body: Body = (cx, _, given) => {
    const scope = Scope.function(unit, 'main');
    for (const [name, value] of given) scope.define(name, { value, role: 'parameter' });
    return cx.engine.evaluate(cx, expr, scope);
  };
  return finishBody(session, collector, 'expression', inputs, body, [], options);
}

/** One function of a file, exported or not, on inputs by name or in order: entries as those of `compileExpression`. */
export function compileFunction(
  path: string,
  name: string,
  inputs: readonly ExpressionInput[],
  host: Host | Workspace,
  options: EvaluateOptions = {},
): Compiled {
  const workspace = workspaceOf(host);
  const unit = workspace.unit(path);
  if (unit === undefined) return missingFile(path);
  const collector = new Collector();
  const session = begin(workspace, unit, options, collector);
  const item = unit.items.get(name);
  if (item?.kind !== 'Fn') {
    collector.add(
      diagnostic('E0201', {
        source: unit.source,
        span: { start: 0, end: 0 },
        message: `${path} has no function \`${name}\``,
      }),
    );
    return { diagnostics: collector.found };
  }
  return finishBody(session, collector, name, inputs, callBody(item, unit, inputs), [item], options);
}

/** The entries of a body. `state` are the functions whose parameters the state belongs to. */
function finishBody(
  session: Session,
  collector: Collector,
  name: string,
  inputs: readonly ExpressionInput[],
  body: Body,
  state: readonly ast.Fn[],
  options: EvaluateOptions,
): Compiled {
  const main = bodyEntry(session, inputs, body);
  const gradient =
    main === undefined || options.gradient === undefined
      ? undefined
      : gradientEntry(session, inputs, options.gradient, body);
  const init = initEntry(session, (cx) => exportedState(cx, state));
  const entries = [main, gradient, init].filter((entry) => entry !== undefined);
  return collector.finish(() => finishProgram(session, name, entries));
}
