import pg from 'pg';

/** Control characters, and the line separators of Unicode. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

/**
 * A quoted identifier as one line that means the same in SQL: with control characters in it, `U&"…"` with their code
 * points. https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 *
 * @param quoted as the server's `quote_ident` gives it; quotes may be missing where none are needed
 */
export function onOneLine(quoted: string): string {
  const escaped = quoted
    .replaceAll('\\', '\\\\')
    .replace(CONTROL, (character) => `\\${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return quoted.search(CONTROL) === -1 ? quoted : `U&${escaped}`;
}

/** The name as an identifier, in quotes. */
export function identifier(name: string): string {
  return onOneLine(pg.escapeIdentifier(name));
}
