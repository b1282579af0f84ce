/** The wording of Chevrotain's errors: what was expected, as the label at the token that stands there instead. */
import type { IParserErrorMessageProvider, TokenType } from 'chevrotain';

/** Chevrotain's errors as phrases that fit beside an underline. */
export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => `expected ${labelOf(expected)}`,
  buildNotAllInputParsedMessage: () => 'expected the end of the file',
  buildNoViableAltMessage: ({ customUserDescription, expectedPathsPerAlt }) =>
    `expected ${customUserDescription ?? alternatives(expectedPathsPerAlt.flat())}`,
  buildEarlyExitMessage: ({ customUserDescription, expectedIterationPaths }) =>
    `expected ${customUserDescription ?? alternatives(expectedIterationPaths)}`,
};

function labelOf(type: TokenType): string {
  return type.LABEL ?? type.name;
}

function alternatives(paths: readonly TokenType[][]): string {
  const labels = [...new Set(paths.flatMap(([first]) => (first ? [labelOf(first)] : [])))];
  const last = labels.pop() ?? 'something else';
  return labels.length === 0 ? last : `${labels.join(', ')} or ${last}`;
}
