import { unquoted } from './quoting.ts';

/** Name of a table, not quoted. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

const PART = '("(?:[^"]|"")+"|[^".]+)';
const QUALIFIED = new RegExp(`^${PART}\\.${PART}$`, 's');

/**
 * Parses a name as in SQL: `public.orders`, or `public."Orders"`. Letters outside of quotation marks are folded to
 * lower case.
 *
 * @returns undefined if it is not a schema and a table with a dot in between
 */
export function parseTableName(text: string): TableName | undefined {
  const [, schema, name] = QUALIFIED.exec(text) ?? [];
  return schema === undefined || name === undefined ? undefined : { schema: folded(schema), name: folded(name) };
}

function folded(part: string): string {
  return part.startsWith('"') ? unquoted(part) : part.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
