// The compiler as scripts use it, which is what `tdsl/compile` exports: programs compiled to native modules, or run by the interpreter.

export { ProgramError } from './errors.js';
export { evaluate, type InterpretOptions, interpret, interpretBundle, type ProgramText } from './interpreted.js';
export { type CompiledModule, compileModule, importModule, type ModuleOptions } from './module.js';
