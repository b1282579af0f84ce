// Compiles scalar expressions for the interpreter: to a list of loops over blocks of elements. Nothing is generated as text,
// so it also runs where a page may not evaluate code.
//
// Every node of the DAG gets a register, a typed array of `blockSize` elements, and one loop that fills it. The caller sets the
// argument registers for up to `blockSize` elements, runs all loops, and reads the output registers.

import type { DType } from '../../dtype.js';
import { type ArithmeticOp, type ComparisonOp, comparisonOps, type Scalar } from '../../scalar.js';
import { allocate, type Elements, type Numbers, roundElements, storeNumbers } from '../tensor.js';
import { bigintComparison, bigintLoop, bigintSelect } from './bigint-loops.js';
import { alias, bitcastLoop, castLoop } from './convert.js';
import { createFma } from './fma.js';
import { type Loop, numberLoop, numberSelect } from './loops.js';

/** Large enough to hide the call of each loop, small enough for the registers of a long expression to stay in the cache. */
export const blockSize = 256;

export interface ScalarProgram {
  /** A register for each argument; the caller writes them. */
  readonly args: readonly Elements[];
  /** A register for each expression, none of them an argument's, so that they may be copied back into arguments. */
  readonly outputs: readonly Elements[];
  /** The dtypes of the outputs. */
  readonly results: readonly DType[];
  /** Computes the first `n` elements of the outputs. */
  readonly run: (n: number) => void;
}

/** Compiles expressions over arguments of the given dtypes. */
export function compileScalars(expressions: readonly Scalar[], params: readonly DType[]): ScalarProgram {
  const compiler = new Compiler();
  const args = params.map((dtype) => allocate(dtype, blockSize));
  const scope = new Scope(args);
  const outputs = expressions.map((expression) => {
    const register = compiler.register(expression, scope);
    return args.some((arg) => arg.buffer === register.buffer) ? compiler.copy(register, expression.dtype) : register;
  });
  const loops = compiler.loops;
  return {
    args,
    outputs,
    results: expressions.map(({ dtype }) => dtype),
    run: (n) => {
      for (const loop of loops) loop(n);
    },
  };
}

/** The registers of the nodes of one expression: of the whole, or of the body of a called function. */
class Scope {
  readonly registers = new Map<Scalar, Elements>();

  constructor(readonly args: readonly Elements[]) {}
}

class Compiler {
  readonly loops: Loop[] = [];
  readonly #fma = createFma();
  readonly #constants = new Map<string, Elements>();

  /** The register of an expression; its loop and those of its operands are added when it is met first. */
  register(node: Scalar, scope: Scope): Elements {
    const known = scope.registers.get(node);
    if (known !== undefined) return known;
    const register = this.#make(node, scope);
    scope.registers.set(node, register);
    return register;
  }

  copy(register: Elements, dtype: DType): Elements {
    const out = allocate(dtype, blockSize);
    this.loops.push(castLoop(out, dtype, register, dtype));
    return out;
  }

  #make(node: Scalar, scope: Scope): Elements {
    switch (node.kind) {
      case 'argument': {
        const register = scope.args[node.index];
        if (register === undefined)
          throw new RangeError(`a scalar expression reads argument ${node.index}, which is not given`);
        return register;
      }
      case 'constant':
        return this.#constant(node.value, node.dtype);
      case 'call': {
        const args = node.args.map((arg) => this.register(arg, scope));
        return this.register(node.fn.body, new Scope(args));
      }
      case 'bitcast':
        return this.#bitcast(node, scope);
      default:
        return this.#compute(node, scope);
    }
  }

  #constant(value: number | bigint, dtype: DType): Elements {
    const key = `${dtype} ${Object.is(value, -0) ? '-0' : value}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const register = allocate(dtype, blockSize);
    storeNumbers(dtype, register, new Array<number | bigint>(blockSize).fill(value));
    this.#constants.set(key, register);
    return register;
  }

  #bitcast(node: Extract<Scalar, { kind: 'bitcast' }>, scope: Scope): Elements {
    const arg = this.register(node.arg, scope);
    const shared = alias(arg, node.arg.dtype, node.dtype);
    if (shared !== undefined) return shared;
    const out = allocate(node.dtype, blockSize) as Numbers;
    this.loops.push(bitcastLoop(out, node.dtype, arg as Numbers, node.arg.dtype));
    return out;
  }

  #compute(node: Extract<Scalar, { kind: 'apply' | 'select' | 'cast' }>, scope: Scope): Elements {
    const { dtype } = node;
    const loop = (out: Elements): Loop => {
      if (node.kind === 'cast') return castLoop(out, dtype, this.register(node.arg, scope), node.arg.dtype);
      if (node.kind === 'apply') return this.#apply(node.op, out, node.args, scope);
      const condition = this.register(node.condition, scope) as Numbers;
      const then = this.register(node.then, scope);
      const otherwise = this.register(node.otherwise, scope);
      return dtype === 'i64'
        ? bigintSelect(out as BigInt64Array, condition, then as BigInt64Array, otherwise as BigInt64Array)
        : numberSelect(out as Numbers, condition, then as Numbers, otherwise as Numbers);
    };
    const out = allocate(dtype, blockSize);
    this.loops.push(loop(out));
    if (dtype === 'f16' || dtype === 'bf16') this.loops.push((n) => roundElements(dtype, out, n));
    return out;
  }

  #apply(op: ArithmeticOp | ComparisonOp, out: Elements, args: readonly Scalar[], scope: Scope): Loop {
    const registers = args.map((arg) => this.register(arg, scope));
    const dtype = (args[0] as Scalar).dtype;
    const made =
      isComparison(op) && dtype === 'i64'
        ? bigintComparison(op, out as Numbers, registers[0] as BigInt64Array, registers[1] as BigInt64Array)
        : dtype === 'i64'
          ? bigintLoop(op as ArithmeticOp, out as BigInt64Array, registers as BigInt64Array[])
          : numberLoop(op, dtype, out as Numbers, registers as Numbers[], this.#fma);
    if (made === undefined) throw new TypeError(`the scalar operator ${op} is not defined on ${dtype}`);
    return made;
  }
}

const isComparison = (op: ArithmeticOp | ComparisonOp): op is ComparisonOp =>
  (comparisonOps as readonly string[]).includes(op);
