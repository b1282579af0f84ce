/**
 * The abstract syntax tree of a tdsl file.
 *
 * Every node is a plain, immutable object with a `kind` and the `span` of its text; which file it belongs to is known
 * to whoever holds the `Source`. Names are not resolved here: `f32`, `B` and `MLP` are all identifiers, and it is the
 * checker that knows which of them are dtypes, dimensions or models. Where the text did not parse, an `ErrorNode`
 * stands in the place of the item, field, statement, type or expression, and the diagnostic is already reported.
 */
import type { Span } from '../diagnostics/source.js';

interface Node<Kind extends string> {
  readonly kind: Kind;
  readonly span: Span;
}

/** The place of text that did not parse. Whoever meets one stays silent: the error was reported by the parser. */
export type ErrorNode = Node<'Error'>;

export interface Identifier extends Node<'Identifier'> {
  readonly name: string;
}

// ---------------------------------------------------------------------------------------------------------------------
// Files and items

export interface File extends Node<'File'> {
  /** The number of the `tdsl 1` line, where there is one. */
  readonly version?: IntLiteral;
  readonly items: readonly Item[];
}

export type Item = Import | DimDeclaration | DefaultFloat | Model | Fn | Constant | ErrorNode;

/** `import std.nn { Linear, Conv2d as Conv }` or `import "./layers.td" { Block }`. */
export interface Import extends Node<'Import'> {
  /** A dotted module name, or the path of a file: relative, or `package/file.td`. */
  readonly from: ModuleName | StringLiteral;
  readonly names: readonly ImportName[];
}

export interface ModuleName extends Node<'ModuleName'> {
  readonly parts: readonly Identifier[];
}

export interface ImportName extends Node<'ImportName'> {
  readonly name: Identifier;
  readonly alias?: Identifier;
}

/** `dim B, T`: dimensions shared by the whole file. */
export interface DimDeclaration extends Node<'DimDeclaration'> {
  readonly docs?: string;
  readonly names: readonly Identifier[];
}

/** `default_float f64`: the dtype of floats that state none, in the whole program. */
export interface DefaultFloat extends Node<'DefaultFloat'> {
  readonly docs?: string;
  readonly dtype: Identifier;
}

/** `let NAME: type = value`, in a file or among the fields of a model: a value known when compiling. */
export interface Constant extends Node<'Constant'> {
  readonly docs?: string;
  readonly name: Identifier;
  readonly type?: Type;
  readonly value: Expr;
}

/** `fn name[generics](params) -> result = body derivative (dx) => …`; also a method, among the fields of a model. */
export interface Fn extends Node<'Fn'> {
  readonly docs?: string;
  /** Whether it is an `export fn`, an entry point of the compiled module. Never true of a method. */
  readonly exported: boolean;
  readonly name: Identifier;
  readonly generics: readonly Generic[];
  readonly params: readonly Param[];
  /** The type of the result; functions that are not exported may leave it out. */
  readonly result?: Type;
  /** The expression after `=`, or a block. */
  readonly body: Expr | Block;
  readonly derivative?: Derivative;
}

/** `derivative (dx, dy) => …`: the function's own jvp, linear in its parameters. */
export interface Derivative extends Node<'Derivative'> {
  readonly params: readonly Identifier[];
  readonly body: Expr | Block;
}

export type Generic = DimGeneric | DtypeGeneric | ModelGeneric;

/** `n`, or `*S` for the rest of a shape. */
export interface DimGeneric extends Node<'DimGeneric'> {
  readonly name: Identifier;
  readonly rest: boolean;
}

/** `T: float` or `T: f32 | f64`. */
export interface DtypeGeneric extends Node<'DtypeGeneric'> {
  readonly name: Identifier;
  /** Names of dtypes and of classes of dtypes: `float`, `int`, `number`, `bool`, `any`. */
  readonly alternatives: readonly Identifier[];
}

/** `M: model`. */
export interface ModelGeneric extends Node<'ModelGeneric'> {
  readonly name: Identifier;
}

/** A parameter of a function or of a model: `name: type = default`. */
export interface Param extends Node<'Param'> {
  readonly docs?: string;
  readonly name: Identifier;
  /** Whether it takes any number of arguments: `tensors...: tensor`. */
  readonly rest: boolean;
  readonly type: Type;
  readonly default?: Expr;
}

/** `model Name[generics](params) { fields }`. */
export interface Model extends Node<'Model'> {
  readonly docs?: string;
  readonly name: Identifier;
  readonly generics: readonly Generic[];
  readonly params: readonly Param[];
  readonly fields: readonly Field[];
  /** The braces around the fields. */
  readonly braces: Span;
}

export type Field = ChildField | TensorField | Constant | Fn | IfField | ErrorNode;

/** `fc1: Linear(784, 256)`, `blocks: [Block() for i in 0..3]`, `head: tied(embed.weight)`. */
export interface ChildField extends Node<'ChildField'> {
  readonly docs?: string;
  readonly name: Identifier;
  readonly value: Expr;
}

/** `param weight: f32[n, m] = normal(std: 0.01)`, and likewise for buffers and state. */
export interface TensorField extends Node<'TensorField'> {
  readonly docs?: string;
  readonly role: 'param' | 'buffer' | 'state';
  readonly name: Identifier;
  readonly type: Type;
  readonly init?: Expr;
}

/** `if bias { param b: f32[n] = zeros } else { … }`: fields that exist under a compile-time condition. */
export interface IfField extends Node<'IfField'> {
  readonly condition: Expr;
  readonly fields: readonly Field[];
  readonly braces: Span;
  /** The fields of the `else` branch; an `else if` is a list of one `IfField`. */
  readonly otherwise?: readonly Field[];
  /** The braces of the `else` branch, which an `else if` lacks. */
  readonly otherwiseBraces?: Span;
}

// ---------------------------------------------------------------------------------------------------------------------
// Types

export type Type =
  | NamedType
  | ShapedType
  | AppliedType
  | LikeType
  | TupleType
  | RecordType
  | ListType
  | OptionalType
  | UnionType
  | FunctionType
  | MutType
  | ErrorNode;

/** A name alone: `f32` (of rank 0), `int`, `dim`, `key`, `tensor`, a dtype or model variable, a model. */
export interface NamedType extends Node<'NamedType'> {
  readonly name: Identifier;
}

/** `f32[B, C, (H + 2*p - k) // s + 1]`, `T[*S, n]`. */
export interface ShapedType extends Node<'ShapedType'> {
  readonly dtype: Identifier;
  readonly shape: readonly ShapeItem[];
}

/** An axis: a dimension expression, `_` for a size without a name, or `*S` for the rest. */
export type ShapeItem = Expr | AnyDim | RestDim;

export type AnyDim = Node<'AnyDim'>;

export interface RestDim extends Node<'RestDim'> {
  readonly name: Identifier;
}

/** A model with the arguments of its constructor: `SGD(net, lr: 0.1)`. */
export interface AppliedType extends Node<'AppliedType'> {
  readonly name: Identifier;
  readonly args: readonly Argument[];
}

/** `like(net)`: the tree of tensors that the parameters of `net` are. */
export interface LikeType extends Node<'LikeType'> {
  readonly value: Expr;
}

export interface TupleType extends Node<'TupleType'> {
  readonly elements: readonly Type[];
}

export interface RecordType extends Node<'RecordType'> {
  readonly fields: readonly RecordTypeField[];
}

export interface RecordTypeField extends Node<'RecordTypeField'> {
  readonly docs?: string;
  readonly name: Identifier;
  readonly type: Type;
}

/** `[int]`. */
export interface ListType extends Node<'ListType'> {
  readonly element: Type;
}

/** `int?`: the value may be `none`. */
export interface OptionalType extends Node<'OptionalType'> {
  readonly type: Type;
}

/** `int | [int]`. */
export interface UnionType extends Node<'UnionType'> {
  readonly alternatives: readonly Type[];
}

/** `fn(f64[n]) -> f64`. */
export interface FunctionType extends Node<'FunctionType'> {
  readonly params: readonly Type[];
  readonly result: Type;
}

/** `mut T`: state whose new value is written back. */
export interface MutType extends Node<'MutType'> {
  readonly type: Type;
}

// ---------------------------------------------------------------------------------------------------------------------
// Statements

/**
 * `{ statements; value }`. The value is the last expression, where there is one. A block that ends in an
 * `IndexDefinition` has that tensor as its value, and then `value` is absent.
 */
export interface Block extends Node<'Block'> {
  readonly statements: readonly Statement[];
  readonly value?: Expr;
}

/** An expression stands as a statement for its effects. */
export type Statement = Let | Assign | IndexDefinition | For | Expr;

/** `let pattern: type = value`. */
export interface Let extends Node<'Let'> {
  readonly pattern: Pattern;
  readonly type?: Type;
  readonly value: Expr;
}

export type AssignOperator = '=' | '+=' | '-=' | '*=' | '/=';

/** `x = e`, `net.weight -= e`: rebinds a name, or writes state back. */
export interface Assign extends Node<'Assign'> {
  readonly target: Expr;
  readonly operator: AssignOperator;
  readonly value: Expr;
}

/** `out[n, o] = sum over k: x[n, k] * w[k, o]`: defines a tensor element by element. */
export interface IndexDefinition extends Node<'IndexDefinition'> {
  readonly name: Identifier;
  readonly indices: readonly IndexBinder[];
  readonly value: Expr;
}

/** An index variable, with its range where it is stated: `k`, `k in 0..n`. */
export interface IndexBinder extends Node<'IndexBinder'> {
  readonly name: Identifier;
  readonly range?: Expr;
}

/** `for x in xs { … }`, unrolled when compiling. */
export interface For extends Node<'For'> {
  readonly pattern: Pattern;
  readonly iterable: Expr;
  readonly body: Block;
}

export type Pattern = NamePattern | TuplePattern | RecordPattern | ErrorNode;

/** `x`; the name `_` binds nothing. */
export interface NamePattern extends Node<'NamePattern'> {
  readonly name: Identifier;
}

export interface TuplePattern extends Node<'TuplePattern'> {
  readonly elements: readonly Pattern[];
}

/** `{ a, b: (c, d) }`; a field without a pattern binds its own name. */
export interface RecordPattern extends Node<'RecordPattern'> {
  readonly fields: readonly RecordPatternField[];
}

export interface RecordPatternField extends Node<'RecordPatternField'> {
  readonly name: Identifier;
  readonly pattern?: Pattern;
}

// ---------------------------------------------------------------------------------------------------------------------
// Expressions

export type Expr =
  | Name
  | IntLiteral
  | FloatLiteral
  | StringLiteral
  | BoolLiteral
  | NoneLiteral
  | Unary
  | Binary
  | Pipe
  | Range
  | Call
  | Index
  | Member
  | Lambda
  | List
  | Comprehension
  | Tuple
  | Record
  | If
  | Fold
  | Scan
  | While
  | Map
  | NoGrad
  | Reduction
  | ErrorNode;

interface ExprNode<Kind extends string> extends Node<Kind> {
  /** Whether the text has parentheses around it, which the span then includes. Only the formatter asks. */
  readonly parenthesized?: true;
}

/** The use of a name: a variable, a function, a dimension, a dtype, a model. */
export interface Name extends ExprNode<'Name'> {
  readonly name: string;
}

export interface IntLiteral extends ExprNode<'IntLiteral'> {
  readonly value: bigint;
  /** As it was written: `1_000`, `0x1f`. */
  readonly text: string;
}

/** `1.5`, `1e-3`, `inf`, `nan`. */
export interface FloatLiteral extends ExprNode<'FloatLiteral'> {
  readonly value: number;
  readonly text: string;
}

export interface StringLiteral extends ExprNode<'StringLiteral'> {
  readonly value: string;
}

export interface BoolLiteral extends ExprNode<'BoolLiteral'> {
  readonly value: boolean;
}

/** `none`: an absent optional value; in an index, a new axis. */
export type NoneLiteral = ExprNode<'NoneLiteral'>;

export type UnaryOperator = '-' | '!';

export interface Unary extends ExprNode<'Unary'> {
  readonly operator: UnaryOperator;
  readonly operand: Expr;
}

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type BinaryOperator = '||' | '&&' | ComparisonOperator | '+' | '-' | '*' | '/' | '//' | '%' | '@' | '**';

export interface Binary extends ExprNode<'Binary'> {
  readonly operator: BinaryOperator;
  readonly operatorSpan: Span;
  readonly left: Expr;
  readonly right: Expr;
}

/** `value |> target`, which is `target(value)`, and `f(value, a)` where the target is the call `f(a)`. */
export interface Pipe extends ExprNode<'Pipe'> {
  readonly value: Expr;
  readonly target: Expr;
}

/** `start..end`, the end excluded. */
export interface Range extends ExprNode<'Range'> {
  readonly start: Expr;
  readonly end: Expr;
}

export interface Call extends ExprNode<'Call'> {
  readonly callee: Expr;
  readonly args: readonly Argument[];
}

export interface Argument extends Node<'Argument'> {
  readonly name?: Identifier;
  readonly value: Expr;
}

/**
 * `object[items]`. In an index expression, `x[i + k] else e` gives the value that elements outside of `x` have; without
 * it they are zero.
 */
export interface Index extends ExprNode<'Index'> {
  readonly object: Expr;
  readonly items: readonly IndexItem[];
  readonly outside?: Expr;
}

/** `none` among the items is a `NoneLiteral`. */
export type IndexItem = Expr | Slice | Ellipsis;

/** `start:stop:step`, any part of which may be missing. */
export interface Slice extends Node<'Slice'> {
  readonly start?: Expr;
  readonly stop?: Expr;
  readonly step?: Expr;
}

export type Ellipsis = Node<'Ellipsis'>;

/** `object.name`: a field, a method, a sub-model, or `x.T`. */
export interface Member extends ExprNode<'Member'> {
  readonly object: Expr;
  readonly name: Identifier;
}

/** `(x, y) => e`, `x => e`, `(x) => { … }`, and the braced form `{ (h, x) => … }` of `fold` and `scan`. */
export interface Lambda extends ExprNode<'Lambda'> {
  readonly params: readonly LambdaParam[];
  readonly body: Expr | Block;
}

export interface LambdaParam extends Node<'LambdaParam'> {
  readonly pattern: Pattern;
  readonly type?: Type;
}

/** `[1, x]`. With slices and `...` among its elements it is an index, as in `update(x, [1:3, ...], v)`. */
export interface List extends ExprNode<'List'> {
  readonly elements: readonly IndexItem[];
}

/** `[element for i in 0..n for j in 0..i if condition]`; the clauses nest from left to right. */
export interface Comprehension extends ExprNode<'Comprehension'> {
  readonly element: Expr;
  readonly clauses: readonly ComprehensionClause[];
}

export interface ComprehensionClause extends Node<'ComprehensionClause'> {
  readonly pattern: Pattern;
  readonly iterable: Expr;
  readonly conditions: readonly Expr[];
}

export interface Tuple extends ExprNode<'Tuple'> {
  readonly elements: readonly Expr[];
}

export interface Record extends ExprNode<'Record'> {
  readonly fields: readonly RecordField[];
}

export interface RecordField extends Node<'RecordField'> {
  readonly name: Identifier;
  readonly value: Expr;
}

/** Of a compile-time condition only one branch is checked; else both are, and their types agree. */
export interface If extends ExprNode<'If'> {
  readonly condition: Expr;
  readonly then: Block;
  readonly otherwise?: Block | If;
}

/** `fold xs from init { (carry, x) => … }`: the last carry. The sequence is a tensor, a range, a list or a tuple of tensors. */
export interface Fold extends ExprNode<'Fold'> {
  readonly sequence: Expr;
  readonly init: Expr;
  readonly body: Lambda;
}

/** `scan xs from init { (carry, x) => …; (carry, y) }`: all the `y`, stacked, and the last carry. */
export interface Scan extends ExprNode<'Scan'> {
  readonly sequence: Expr;
  readonly init: Expr;
  readonly body: Lambda;
}

/** `while condition max limit from pattern = init { next }`. */
export interface While extends ExprNode<'While'> {
  readonly condition: Expr;
  readonly limit?: Expr;
  readonly pattern: Pattern;
  readonly init: Expr;
  readonly body: Block;
}

/** `map (path, p, g) over (net, grads) { … }`: walks trees of equal structure, unrolled when compiling. */
export interface Map extends ExprNode<'Map'> {
  readonly params: readonly Pattern[];
  readonly trees: readonly Expr[];
  readonly body: Block;
}

/** `no_grad { … }`: the value of the block, without its derivative. */
export interface NoGrad extends ExprNode<'NoGrad'> {
  readonly body: Block;
}

/** `sum over k, l in 0..n: body where condition`. */
export interface Reduction extends ExprNode<'Reduction'> {
  readonly reducer: Identifier;
  readonly binders: readonly IndexBinder[];
  readonly body: Expr;
  readonly condition?: Expr;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Every node that has a kind of its own. */
export type AnyNode =
  | File
  | Exclude<Item, ErrorNode>
  | ModuleName
  | ImportName
  | Identifier
  | Derivative
  | Generic
  | Param
  | Exclude<Field, ErrorNode>
  | Exclude<Type, ErrorNode>
  | AnyDim
  | RestDim
  | RecordTypeField
  | Block
  | Statement
  | IndexBinder
  | Exclude<Pattern, ErrorNode>
  | RecordPatternField
  | Argument
  | Slice
  | Ellipsis
  | LambdaParam
  | ComprehensionClause
  | RecordField;
