/** Text from a program as a terminal may show it: what would move the cursor, change colours or turn the direction of writing is an escape. */

/** Control characters but for tabs and ends of lines, and those that turn the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** `\u{1b}` for an escape character, and other text as it is. */
export const visible = (text: string): string =>
  text.replace(invisible, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
