import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { log } from '../log.ts';
import { ConnectionFailure } from '../postgres/connection/connection-failure.ts';
import { withConnection } from '../postgres/connection/connection.ts';
import type { Answer } from '../postgres/connection/if-answered.ts';
import { tryEach } from '../postgres/connection/try-each.ts';
import { identifier } from '../postgres/names/quoting.ts';
import { start } from '../process/child.ts';
import type { RestoreTool } from './pg-restore.ts';
import { rereadFailure } from './stored-dump/reread-failure.ts';
import { decodedBy, type TableOfContents } from './stored-dump/table-of-contents.ts';

/** In the output of pg_restore. A name may contain a semicolon or a line break, and there are no literals. */
const GRANT = /^(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) (?:[^";]|"[^"]*")*;/gm;

/** Start of the grants that the server only accepts from users with the privileges of the role that is named next. */
const OF_ROLE = 'Command was: ALTER DEFAULT PRIVILEGES FOR ROLE ';

/** Statements of one transaction. */
const BATCH = 500;

/**
 * pg_restore runs all grants on an object as one statement, so that the server refuses them all if a single role is
 * missing. Runs each by itself, as this user, whoever granted it in the source.
 *
 * @param entries IDs of entries that the server refused
 * @returns messages about the grants that it refuses by themselves, or that were lost with the connection
 * @throws {Failure} `tryAgain` if pg_restore was stopped or ran out of memory while it read them
 */
export async function grantEach(
  entries: readonly number[],
  { target, policy, client, folder }: RestoreTool,
  { head, encoding }: TableOfContents,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (entries.length === 0) {
    return [];
  }
  const list = join(folder, 'grants');
  await writeFile(list, entries.map((id) => `${id};\n`).join(''));
  const args = ['--no-owner', `--use-list=${list}`, '--file=-', head];
  const { output, exit } = start(client.pgRestore, args, { environment: { LC_ALL: 'C' }, signal });
  const [bytes, end] = await Promise.all([buffer(output), exit]);
  if (end.status !== 0) {
    throw rereadFailure(end, 'the grants of the dump');
  }
  const decoded = await unlessLost(
    withConnection(target, policy, signal, (connection) => decodedBy(connection, [bytes.toString('latin1')], encoding)),
  );
  if ('unseen' in decoded) {
    log(`Warning: not restored: the grants on ${entries.length} objects: ${decoded.unseen}`);
    return entries.map((id) => `the grants of entry ${id}: ${decoded.unseen}`);
  }
  const grants = decoded.value[0]?.match(GRANT) ?? [];
  const refused: string[] = [];
  for (let at = 0; at < grants.length; at += BATCH) {
    const batch = grants.slice(at, at + BATCH);
    const tried = await unlessLost(
      withConnection(target, policy, signal, (connection) => tryEach(connection, batch), { access: 'READ WRITE' }),
    );
    const refusals = 'unseen' in tried ? batch.map(() => tried.unseen) : tried.value;
    for (const [index, refusal] of refusals.entries()) {
      if (refusal !== undefined) {
        const message = `${refusal}\nCommand was: ${batch[index] ?? ''}`;
        refused.push(message);
        log(`Warning: not restored: ${message}`);
      }
    }
  }
  if (refused.some((message) => message.includes(OF_ROLE))) {
    log(
      "Note: only a superuser, or a user with the role's privileges, can change its default privileges. To restore those " +
        `listed above, have an administrator of the role run GRANT … TO ${identifier(target.user)} (from PostgreSQL 16 on, ` +
        'WITH INHERIT TRUE), run the statements, then revoke it. From PostgreSQL 16 on, whoever created the role is one of its ' +
        'administrators.',
    );
  }
  return refused;
}

/** All data are restored already, so losing the connection costs no more than the grants. */
async function unlessLost<T>(result: Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await result };
  } catch (error) {
    if (!(error instanceof ConnectionFailure)) {
      throw error;
    }
    return { unseen: error.message };
  }
}
