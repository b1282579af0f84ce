/** The shape of an entry of the catalogue of diagnostics. */

/**
 * Whose fault a diagnostic is: the program's or its input's, something tdsl does not do yet, or a bug of tdsl.
 * The three classes are what the exit status of the command line and the wording of the report depend on.
 */
export type DiagnosticClass = 'user' | 'limitation' | 'bug';

/** What the catalogue says about one code. */
export interface CodeEntry {
  readonly class: DiagnosticClass;
  /** One line in lower case, without a full stop: the message where the report has no better one. */
  readonly title: string;
  /** Markdown for the page of this code: what is wrong, why tdsl insists, how to repair it. */
  readonly explanation: string;
  /** A program, or for a run-time error a call, that gives this diagnostic. */
  readonly example: string;
}

/** A part of the catalogue; the prefix keeps every code in the range of its phase. */
export type Codes<Prefix extends string> = { readonly [code in `${Prefix}${number}`]: CodeEntry };
