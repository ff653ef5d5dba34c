import pg from 'pg';
import { CONTROL_CHARACTERS } from '../../log.ts';

/**
 * Writes a quoted identifier or text on one line without changing its meaning: if it contains control characters, as
 * `U&"…"` or `U&'…'` with their code points.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 *
 * @param quoted an identifier as returned by the server's `quote_ident`, so without quotes where none are needed
 */
export function quotedOnOneLine(quoted: string): string {
  const escaped = quoted.replaceAll('\\', '\\\\').replace(CONTROL_CHARACTERS, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\+${code.padStart(6, '0')}` : `\\${code.padStart(4, '0')}`;
  });
  return quoted.search(CONTROL_CHARACTERS) === -1 ? quoted : `U&${escaped}`;
}

/** Quotes a name as an identifier. */
export function identifier(name: string): string {
  return quotedOnOneLine(pg.escapeIdentifier(name));
}

/** The name that an identifier of the server or of pg_dump stands for, whether it is quoted or not. */
export function unquoted(quoted: string): string {
  return quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted;
}

/** A qualified name on one line, for the reader. Keywords are not quoted. */
export function nameOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  const parts = schema === '' ? [name] : [schema, name];
  return parts.map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : identifier(part))).join('.');
}

/** Quotes a text as a literal, for a session in which `standard_conforming_strings` is on, as it is by default. */
export function literal(text: string): string {
  return quotedOnOneLine(`'${text.replaceAll("'", "''")}'`);
}
