import { unquoted } from '../postgres/names/quoting.ts';
import type { TableName } from '../postgres/names/table-name.ts';

/** A `CREATE TABLE` statement of pg_dump, as far as a table needs it that only holds rows. */
export interface TableDefinition {
  /** What follows the name: the columns, and the type of a table that has one. */
  readonly body: string;
  /** Tables that it inherits columns from, which are not in its body. */
  readonly parents: readonly TableName[];
}

const NAME = '(?:"(?:[^"]|"")*"|[^".,() ]+)';
const HEADER = new RegExp(`^CREATE (?:UNLOGGED )?TABLE ${NAME}\\.${NAME}(?=[ ;])`, 's');

/** What has a meaning for the structure, and what may hide such a character. Backslashes in E'…' come in pairs. */
const TOKEN = /"(?:[^"]|"")*"|'(?:[^']|'')*'|[(),;]|\n(?:INHERITS|PARTITION BY|USING|WITH|TABLESPACE)\b/g;

/** Of a table, not of a column: a column's name would be quoted. */
const CONSTRAINT = /^\s*CONSTRAINT\s/;

interface Mark {
  readonly token: string;
  readonly at: number;
  /** Number of parentheses around it. */
  readonly depth: number;
}

function marksIn(text: string): readonly Mark[] {
  const marks: Mark[] = [];
  let depth = 0;
  for (const { 0: token, index: at } of text.matchAll(TOKEN)) {
    depth -= token === ')' ? 1 : 0;
    marks.push({ token, at, depth });
    depth += token === '(' ? 1 : 0;
  }
  return marks;
}

/**
 * Divides a statement as pg_dump writes it: `CREATE TABLE name [OF type] [(items)]`, then clauses, each on a line of
 * its own. Constraints of the table, its partitioning and its parameters are left out. Source: dumpTableSchema in
 * PostgreSQL's src/bin/pg_dump/pg_dump.c
 *
 * @returns undefined if it is not such a statement
 */
export function parseTableDefinition(statement: string): TableDefinition | undefined {
  const header = HEADER.exec(statement)?.[0];
  if (header === undefined) {
    return undefined;
  }
  const text = statement.slice(header.length);
  const marks = marksIn(text);
  const end = marks.find(({ token, depth }) => depth === 0 && (token === ';' || token.startsWith('\n')));
  const inBody = marks.filter(({ at }) => end !== undefined && at < end.at);
  const open = inBody.find(({ token }) => token === '(');
  const close = inBody.findLast(({ token, depth }) => token === ')' && depth === 0);
  if (end === undefined || (open === undefined) !== (close === undefined)) {
    return undefined;
  }
  const parents = end.token === '\nINHERITS' ? parentsIn(text.slice(end.at + end.token.length)) : [];
  if (open === undefined || close === undefined) {
    return { body: text.slice(0, end.at), parents };
  }
  const commas = inBody.filter(({ token, depth }) => token === ',' && depth === 1).map(({ at }) => at);
  const starts = [open.at, ...commas];
  const items = starts
    .map((start, index) => text.slice(start + 1, commas[index] ?? close.at))
    .filter((item) => !CONSTRAINT.test(item));
  const ofType = text.slice(0, open.at);
  // A table with a type may not have an empty list.
  const list = items.length === 0 && ofType.trim() !== '' ? '' : `(${items.join(',')})`;
  return { body: `${ofType}${list}`, parents };
}

function parentsIn(clause: string): readonly TableName[] {
  const list = new RegExp(`^ \\((?:${NAME}\\.${NAME}(?:, )?)*\\)`, 's').exec(clause)?.[0] ?? '';
  return [...list.matchAll(new RegExp(`(${NAME})\\.(${NAME})`, 'gs'))].map(([, schema = '', name = '']) => ({
    schema: unquoted(schema),
    name: unquoted(name),
  }));
}
