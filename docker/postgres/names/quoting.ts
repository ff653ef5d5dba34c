import pg from 'pg';
import { quotedOnOneLine } from '../../../contract.ts';

export { nameOf, quotedOnOneLine } from '../../../contract.ts';

/** Quotes a name as an identifier. */
export function identifier(name: string): string {
  return quotedOnOneLine(pg.escapeIdentifier(name));
}

/** The name that an identifier of the server or of pg_dump stands for, whether it is quoted or not. */
export function unquoted(quoted: string): string {
  return quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted;
}

/** Quotes a text as a literal, for a session in which `standard_conforming_strings` is on, as it is by default. */
export function literal(text: string): string {
  return quotedOnOneLine(`'${text.replaceAll("'", "''")}'`);
}
