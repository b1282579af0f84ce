// The text form of the kernel IR, for people (`tdsl ir --after kernels`) and as the key by which equal kernels are shared.

import { printDim } from '../../compiler/ir/dims.js';
import { type Scalar, scalarOperands } from '../../compiler/ir/scalar.js';
import type { Buffer, Expr, Guard, Kernel, Position, Register, Stmt, Temp } from './ir.js';
import { guardKey } from './positions.js';

/** Prints a kernel. Two kernels with equal text compute the same. */
export function printKernel(kernel: Kernel, name = 'kernel'): string {
  const lines = [`${name}(${kernel.buffers.map(bufferText).join(', ')}) sizes [${kernel.sizes.join(', ')}] {`];
  for (const buffer of kernel.buffers) {
    if (buffer.data !== undefined) lines.push(`  table ${buffer.name} = ${buffer.data.join(' ')}`);
  }
  printBody(kernel.body, '  ', lines);
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

const bufferText = (buffer: Buffer): string =>
  `${buffer.role} ${buffer.name}: ${buffer.dtype}[${printDim(buffer.size)}]`;

function printBody(body: readonly Stmt[], indent: string, lines: string[]): void {
  const nest = (head: string, inner: readonly Stmt[]): void => {
    lines.push(`${indent}${head} {`);
    printBody(inner, `${indent}  `, lines);
    lines.push(`${indent}}`);
  };
  for (const stmt of body) {
    switch (stmt.kind) {
      case 'let':
        lines.push(`${indent}${tempText(stmt.temp)} = ${exprText(stmt.value)}`);
        break;
      case 'store':
        lines.push(`${indent}${element(stmt.buffer.name, stmt.offset)} = ${stmt.value.name}`);
        break;
      case 'for': {
        const interleave = stmt.interleave === undefined ? '' : ` × ${stmt.interleave}`;
        const atMost = stmt.atMost === undefined ? '' : ` <= ${stmt.atMost}`;
        nest(`for ${stmt.index} < ${printDim(stmt.extent)}${atMost} ${stmt.mark}${interleave}`, stmt.body);
        break;
      }
      case 'accumulate': {
        const { fold } = stmt;
        const scalars = [fold.init, fold.step, fold.merge, fold.finish].map((part) =>
          part.map((scalar) => printScalar(scalar)).join(', '),
        );
        nest(
          `${stmt.results.map(tempText).join(', ')} = accumulate ${stmt.name}: ${fold.name} [${scalars.join(' | ')}]`,
          stmt.body,
        );
        break;
      }
      case 'fold':
        lines.push(
          `${indent}fold ${stmt.into} (${stmt.args.map((arg) => arg.name).join(', ')})${guardText(stmt.guards)}`,
        );
        break;
      case 'lookup':
        lines.push(
          `${indent}${stmt.index} = lookup ${stmt.value.name} < ${printDim(stmt.size)} at ${printDim(stmt.position)} fault ${stmt.site}${guardText(stmt.guards)}`,
        );
        break;
      case 'check':
        lines.push(`${indent}check${guardText(stmt.guards)} fault ${stmt.site}`);
        break;
      case 'define':
        lines.push(`${indent}${stmt.index} = ${printDim(stmt.value)} < ${printDim(stmt.extent)}`);
        break;
      case 'sort':
        lines.push(
          `${indent}sort ${stmt.keys.name} < ${printDim(stmt.length)} to ${stmt.order.name} from ${printDim(stmt.start)} < ${printDim(stmt.count)}`,
        );
        break;
      case 'fetch':
        lines.push(
          `${indent}fetch ${element(stmt.buffer.name, stmt.offset)}${stmt.row === undefined ? '' : ` + ${printDim(stmt.row)}`}`,
        );
        break;
      case 'transpose':
        lines.push(`${indent}transpose ${stmt.register.name}`);
        break;
      case 'registers':
        lines.push(`${indent}registers ${registerText(stmt.register)}: ${stmt.register.dtype}`);
        break;
      case 'assign':
        lines.push(`${indent}${registerAt(stmt.register, stmt.at)} = ${stmt.value.name}`);
        break;
      case 'if':
        nest(`if${guardText(stmt.guards)}`, stmt.body);
        break;
    }
  }
}

const tempText = (temp: Temp): string => `${temp.name}: ${temp.dtype}`;
const element = (name: string, offset: Position): string => `${name}[${printDim(offset)}]`;
const registerText = ({ name, shape }: Register): string => `${name}[${shape.join(', ')}]`;
const registerAt = ({ name }: Register, at: readonly Position[]): string => `${name}[${at.map(printDim).join(', ')}]`;
const guardText = (guards: readonly Guard[]): string =>
  guards
    .map((guard, i) => `${i === 0 ? ' where' : ','} ${guardKey(guard)}${guard.kind === 'multiple' ? ' = 0' : ' >= 0'}`)
    .join('');

/** An expression as text: equal for expressions that compute the same. */
export function exprText(expr: Expr): string {
  switch (expr.kind) {
    case 'load':
      return `${element(expr.buffer.name, expr.offset)}${guardText(expr.guards)}`;
    case 'position':
      return `${expr.dtype}(${printDim(expr.value)})`;
    case 'scalar':
      return printScalar(
        expr.body,
        expr.args.map((arg) => arg.name),
      );
    case 'random':
      return `random(${expr.key[0].name}, ${expr.key[1].name}, ${printDim(expr.position)})`;
    case 'muladd':
      return `muladd(${expr.a.name}, ${expr.b.name}, ${expr.c.name})`;
    case 'choose':
      return `${expr.accepted.name}${guardText(expr.guards)} else ${expr.otherwise.name}`;
    case 'register':
      return registerAt(expr.register, expr.at);
  }
}

/** Scalar IR as text. A node that is used several times is written once, after `#n=`, and then as `#n`. */
export function printScalar(root: Scalar, names: readonly string[] = []): string {
  const uses = new Map<Scalar, number>();
  const count = (node: Scalar): void => {
    uses.set(node, (uses.get(node) ?? 0) + 1);
    if (uses.get(node) === 1) for (const part of scalarOperands(node)) count(part);
  };
  count(root);
  const labels = new Map<Scalar, string>();
  const text = (node: Scalar): string => {
    if (node.kind === 'argument') return names[node.index] ?? `$${node.index}`;
    if (node.kind === 'constant') return `${Object.is(node.value, -0) ? '-0' : node.value}${node.dtype}`;
    const label = labels.get(node);
    if (label !== undefined) return label;
    const head = node.kind === 'apply' ? node.op : node.kind === 'call' ? node.fn.name : node.kind;
    const shared = (uses.get(node) ?? 0) > 1;
    if (shared) labels.set(node, `#${labels.size}`);
    const suffix = node.kind === 'cast' || node.kind === 'bitcast' ? `_${node.dtype}` : '';
    const body = `${head}${suffix}(${scalarOperands(node).map(text).join(', ')})`;
    return shared ? `${labels.get(node)}=${body}` : body;
  };
  return text(root);
}
