import { unquoted } from '../../postgres/names/quoting.ts';

/** What a COPY statement of pg_dump fills. Names are not quoted. */
export interface CopyStatement {
  readonly schema: string;
  /** Of the table itself, or of the partitioned one that it is a partition of. */
  readonly name: string;
  /** Quoted where needed, and separated by commas; empty if the table has none. */
  readonly columns: string;
}

const NAME = '("(?:[^"]|"")*"|[^".( ]+)';
const STATEMENT = new RegExp(`^COPY ${NAME}\\.${NAME} (?:\\((.*)\\))? ?FROM stdin;\n$`, 's');

/** @returns undefined if it is none of pg_dump */
export function parseCopyStatement(statement: string): CopyStatement | undefined {
  const [, schema, name, columns = ''] = STATEMENT.exec(statement) ?? [];
  return schema === undefined || name === undefined
    ? undefined
    : { schema: unquoted(schema), name: unquoted(name), columns };
}
