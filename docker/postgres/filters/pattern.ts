/** Special in a regular expression. Within quotation marks they stand for themselves. */
const SPECIAL = /[|*+?()[\]{}.^$\\]/;

/**
 * Translates a pattern as pg_dump does: letters outside of quotation marks are folded to lower case, `*` and `?` are
 * wildcards, a dot separates schema and name, `$` is never special, and any other character keeps its meaning in a
 * regular expression. https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-PATTERNS
 *
 * @returns the parts of the pattern between its dots, each as a regular expression of the server for whole names
 */
export function translated(pattern: string): readonly string[] {
  const parts = [''];
  let quoted = false;
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (character === '"' && !(quoted && pattern.charAt(at + 1) === '"')) {
      quoted = !quoted;
    } else if (character === '.' && !quoted) {
      parts.push('');
    } else {
      parts.push(
        `${parts.pop() ?? ''}${quoted ? literally(character) : withWildcards(character, pattern.charAt(at + 1))}`,
      );
      at += character === '"' ? 1 : 0;
    }
  }
  return parts.map((part) => `^(${part})$`);
}

function literally(character: string): string {
  return SPECIAL.test(character) ? `\\${character}` : character;
}

/** `[]` is the name of a type of arrays, and no empty set. */
function withWildcards(character: string, next: string): string {
  switch (character) {
    case '*':
      return '.*';
    case '?':
      return '.';
    case '$':
      return '\\$';
    case '[':
      return next === ']' ? '\\[' : '[';
    default:
      return character.replace(/[A-Z]/, (letter) => letter.toLowerCase());
  }
}
