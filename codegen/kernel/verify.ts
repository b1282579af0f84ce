// Checks a kernel: every name is defined before it is used and once, dtypes agree, and only loops that allow it run in lanes.

import { dimSymbols, dimValue } from '../../compiler/ir/dims.js';
import type { DType } from '../../compiler/ir/dtype.js';
import { type Scalar, scalarOperands } from '../../compiler/ir/scalar.js';
import {
  type Expr,
  exprTemps,
  exprType,
  isPositionName,
  type Kernel,
  type Stmt,
  stmtPositions,
  type Temp,
} from './ir.js';

/** A kernel that breaks a rule of the IR: a fault of the compiler. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
}

interface Names {
  readonly temps: ReadonlyMap<string, DType>;
  readonly positions: ReadonlySet<string>;
  readonly folds: ReadonlyMap<string, readonly DType[]>;
  readonly registers: ReadonlyMap<string, DType>;
}

/** Throws `KernelError` when the kernel is not well-formed. */
export function verifyKernel(kernel: Kernel, name: string): void {
  const defined = new Set<string>();
  const sizes = new Set(kernel.sizes);
  const buffers = new Set(kernel.buffers.map((buffer) => buffer.name));
  const fail = (text: string): never => {
    throw new KernelError(`the kernel ${name} is not well-formed: ${text}`);
  };
  const define = (what: string): void => {
    if (defined.has(what)) fail(`${what} is defined twice`);
    defined.add(what);
  };
  const use = (temp: Temp, names: Names): void => {
    if (names.temps.get(temp.name) !== temp.dtype) fail(`${temp.name}: ${temp.dtype} is not defined here`);
  };

  const checkExpr = (expr: Expr, names: Names): void => {
    for (const temp of exprTemps(expr)) use(temp, names);
    if (expr.kind === 'load' && !buffers.has(expr.buffer.name)) fail(`there is no buffer ${expr.buffer.name}`);
    if (expr.kind === 'scalar')
      checkScalar(
        expr.body,
        expr.args.map((arg) => arg.dtype),
        fail,
      );
    if (expr.kind === 'choose' && expr.accepted.dtype !== expr.otherwise.dtype) fail('a choice between dtypes');
    if (expr.kind === 'register' && !names.registers.has(expr.register.name))
      fail(`there is no register ${expr.register.name}`);
  };

  const checkBody = (body: readonly Stmt[], outer: Names): void => {
    let names = outer;
    const add = (temp: Temp): void => {
      define(temp.name);
      names = { ...names, temps: new Map([...names.temps, [temp.name, temp.dtype]]) };
    };
    for (const stmt of body) {
      for (const position of stmtPositions(stmt)) {
        for (const symbol of dimSymbols(position)) {
          const known = isPositionName(symbol) ? names.positions.has(symbol) : sizes.has(symbol);
          if (!known) fail(`the position ${symbol} is not defined here`);
        }
      }
      switch (stmt.kind) {
        case 'let':
          checkExpr(stmt.value, names);
          if (exprType(stmt.value) !== stmt.temp.dtype) fail(`${stmt.temp.name} has another dtype than its value`);
          add(stmt.temp);
          break;
        case 'store':
          use(stmt.value, names);
          if (stmt.buffer.role !== 'out' && stmt.buffer.role !== 'scratch') fail(`${stmt.buffer.name} is written`);
          if (stmt.buffer.dtype !== stmt.value.dtype) fail(`a ${stmt.value.dtype} is stored to ${stmt.buffer.name}`);
          break;
        case 'for':
          define(stmt.index);
          if (stmt.mark === 'unroll' && dimValue(stmt.extent) === undefined)
            fail('a loop with a run-time extent is unrolled');
          checkBody(stmt.body, { ...names, positions: new Set([...names.positions, stmt.index]) });
          break;
        case 'accumulate':
          define(stmt.name);
          checkBody(stmt.body, { ...names, folds: new Map([...names.folds, [stmt.name, stmt.fold.state]]) });
          stmt.results.forEach(add);
          break;
        case 'fold':
          if (!names.folds.has(stmt.into)) fail(`there is no accumulate ${stmt.into}`);
          for (const temp of stmt.args) use(temp, names);
          break;
        case 'lookup':
          use(stmt.value, names);
          define(stmt.index);
          names = { ...names, positions: new Set([...names.positions, stmt.index]) };
          break;
        case 'define':
          define(stmt.index);
          names = { ...names, positions: new Set([...names.positions, stmt.index]) };
          break;
        case 'sort':
          if (stmt.keys.role !== 'scratch' || stmt.order.role !== 'scratch') fail('a sort outside of scratch memory');
          if (stmt.order.dtype !== 'i64') fail('the order of a sort is not i64');
          break;
        case 'transpose':
          if (!names.registers.has(stmt.register.name)) fail(`there is no register ${stmt.register.name}`);
          break;
        case 'registers':
          define(stmt.register.name);
          names = { ...names, registers: new Map([...names.registers, [stmt.register.name, stmt.register.dtype]]) };
          break;
        case 'assign':
          use(stmt.value, names);
          if (names.registers.get(stmt.register.name) !== stmt.value.dtype)
            fail(`${stmt.register.name} is assigned a ${stmt.value.dtype}`);
          break;
        case 'if':
          checkBody(stmt.body, names);
          break;
        case 'fetch':
          if (!buffers.has(stmt.buffer.name)) fail(`there is no buffer ${stmt.buffer.name}`);
          break;
        case 'check':
          break;
      }
    }
  };
  checkBody(kernel.body, { temps: new Map(), positions: new Set(), folds: new Map(), registers: new Map() });
}

function checkScalar(root: Scalar, args: readonly DType[], fail: (text: string) => never): void {
  const seen = new Set<Scalar>();
  const visit = (node: Scalar): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'argument' && args[node.index] !== node.dtype)
      fail(`scalar argument ${node.index} is not a ${node.dtype}`);
    scalarOperands(node).forEach(visit);
  };
  visit(root);
}
