import pg from 'pg';
import { inSavepoint } from './in-savepoint.ts';

/**
 * SQLSTATEs of warnings that a GRANT or REVOKE did nothing, privilege_not_granted and privilege_not_revoked: without a
 * privilege to give, it does not fail. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const NOTHING_DONE: ReadonlySet<unknown> = new Set(['01007', '01006']);

/**
 * Runs statements in the transaction, one after another. One that the server refuses changes nothing, and does not stop
 * the others. Connection errors pass through.
 *
 * @returns for each statement why the server refused it, in the server's words, which may contain values of the
 * statement; undefined if it did not
 */
export async function tryEach(
  client: pg.Client,
  statements: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const refusals: (string | undefined)[] = [];
  for (const statement of statements) {
    refusals.push(await tryOne(client, statement));
  }
  return refusals;
}

async function tryOne(client: pg.Client, statement: string): Promise<string | undefined> {
  let warning: string | undefined;
  const onNotice = ({
    code,
    message,
  }: {
    readonly code?: string | undefined;
    readonly message?: string | undefined;
  }) => {
    warning = NOTHING_DONE.has(code) ? message : warning;
  };
  client.on('notice', onNotice);
  try {
    await inSavepoint(client, 'kept', () => client.query(statement));
    return warning;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) {
      throw error;
    }
    return error.message;
  } finally {
    client.off('notice', onNotice);
  }
}
