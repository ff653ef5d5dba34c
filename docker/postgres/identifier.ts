import pg from 'pg';
import { CONTROL_CHARACTERS } from '../log.ts';

/**
 * Writes a quoted identifier on one line without changing its meaning: if it contains control characters, as `U&"…"`
 * with their code points. https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 *
 * @param quoted as returned by the server's `quote_ident`, so without quotes where none are needed
 */
export function identifierOnOneLine(quoted: string): string {
  const escaped = quoted.replaceAll('\\', '\\\\').replace(CONTROL_CHARACTERS, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\+${code.padStart(6, '0')}` : `\\${code.padStart(4, '0')}`;
  });
  return quoted.search(CONTROL_CHARACTERS) === -1 ? quoted : `U&${escaped}`;
}

/** Quotes a name as an identifier. */
export function identifier(name: string): string {
  return identifierOnOneLine(pg.escapeIdentifier(name));
}
