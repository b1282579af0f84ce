/** The wording of Chevrotain's errors: what was expected, as the label at the token that stands there instead. */
import { EOF, type IParserErrorMessageProvider, type TokenType } from 'chevrotain';

/** Chevrotain's errors as phrases that fit beside an underline. */
export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => `expected ${labelOf(expected)}`,
  buildNotAllInputParsedMessage: () => 'expected the end of the file',
  buildNoViableAltMessage: ({ customUserDescription, expectedPathsPerAlt }) =>
    `expected ${customUserDescription ?? alternatives(expectedPathsPerAlt.flat())}`,
  buildEarlyExitMessage: ({ customUserDescription, expectedIterationPaths }) =>
    `expected ${customUserDescription ?? alternatives(expectedIterationPaths)}`,
};

/** What a token is called in a message. */
export function labelOf(type: TokenType): string {
  return type === EOF ? 'the end of the file' : (type.LABEL ?? type.name);
}

function alternatives(paths: readonly TokenType[][]): string {
  const labels = [...new Set(paths.flatMap(([first]) => (first ? [labelOf(first)] : [])))];
  const last = labels.pop() ?? 'something else';
  return labels.length === 0 ? last : `${labels.join(', ')} or ${last}`;
}
