import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PostgresClient } from '../../postgres/clients.ts';
import { start } from '../../process/child.ts';
import { rereadFailure } from './reread-failure.ts';
import type { ArchiveObject } from './table-of-contents.ts';

/** End of a COPY statement, after which the rows follow, and the line after them. */
const ROWS_FOLLOW = ' FROM stdin;';
const END_OF_ROWS = '\\.';

/**
 * Finds out which tables have rows in an archive.
 *
 * @param tables entries of kind `TABLE DATA`, in their order
 * @param file the archive
 * @param folder for a file of this function
 * @throws {Failure} `tryAgain` if pg_restore was stopped or ran out of memory; `internal` if it cannot read the archive
 */
export async function tablesWithRows<T extends Pick<ArchiveObject, 'id'>>(
  tables: readonly T[],
  file: string,
  { pgRestore }: PostgresClient,
  folder: string,
  signal: AbortSignal,
): Promise<readonly T[]> {
  if (tables.length === 0) {
    return [];
  }
  const list = join(folder, 'tables');
  await writeFile(list, tables.map(({ id }) => `${id};\n`).join(''));
  const args = ['--data-only', `--use-list=${list}`, '--file=-', file];
  const { output, exit } = start(pgRestore, args, { environment: { LC_ALL: 'C' }, signal });
  // An early failure also ends the output.
  exit.catch(() => undefined);
  const found: T[] = [];
  let next = 0;
  let place: 'between' | 'first row' | 'rows' = 'between';
  for await (const line of createInterface({ input: output, crlfDelay: Infinity })) {
    if (place === 'between') {
      place = line.endsWith(ROWS_FOLLOW) && !line.startsWith('--') ? 'first row' : 'between';
      continue;
    }
    const table = tables[next];
    if (place === 'first row' && line !== END_OF_ROWS && table !== undefined) {
      found.push(table);
    }
    next += line === END_OF_ROWS ? 1 : 0;
    place = line === END_OF_ROWS ? 'between' : 'rows';
  }
  const end = await exit;
  if (end.status !== 0) {
    throw rereadFailure(end, 'the rows of the dump');
  }
  return found;
}
