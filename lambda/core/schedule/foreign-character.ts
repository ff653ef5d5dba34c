/**
 * Names the first character that is not ASCII, such as a dash of a word processor, or an invisible one, which looks
 * like an error that is not there; `undefined` if there is none.
 */
export function foreignCharacter(text: string): string | undefined {
  const [character] = /[^\p{ASCII}\s]/u.exec(text) ?? [];
  if (character === undefined) {
    return undefined;
  }
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `the character U+${code}, which may look like another one or be invisible`;
}
