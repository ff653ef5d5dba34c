import pg from 'pg';
import { Failure } from '../../failure.ts';

/** What a transaction may do. */
export type Access = 'READ ONLY' | 'READ WRITE';

/**
 * Questions about a database must change nothing, not even the session, which a pooler may hand to another client
 * afterwards. Nor must they call anything that a user of the database may have planted, since an administrator asks
 * them: unqualified names are the system's own, whatever the settings of the user or the database put first. With an
 * empty search path, temporary tables, which may also be another client's, would come before the system's.
 *
 * Like pg_dump, they turn off the timeouts that the user or the database may have set. Not every version has the newer
 * ones. They may also use some memory, since `temp_file_limit` may allow no temporary files instead.
 */
const SETTINGS = [
  'SET LOCAL statement_timeout TO 0',
  // Our literals may contain backslashes in text that an owner of the database chose, and must end where we end them.
  'SET LOCAL standard_conforming_strings TO on',
  "SET LOCAL work_mem TO '128MB'",
  'SET LOCAL search_path TO pg_catalog, pg_temp',
  // Set at the login, it would remain in the server session of a pooler.
  'SET LOCAL application_name TO autodump',
  `SELECT set_config(name, '0', true) FROM pg_settings
   WHERE name IN ('lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`,
].join('; ');

// Not deferrable: that could wait for other sessions, which pg_dump does not do.
const begin = (access: Access) => `BEGIN ${access}, NOT DEFERRABLE; ${SETTINGS}`;

/** The server then sends names as they are stored. pg reads them as UTF-8, and invalid bytes as U+FFFD. */
const WITHOUT_CONVERSION = 'SET LOCAL client_encoding TO SQL_ASCII';

/** SQLSTATEs character_not_in_repertoire and untranslatable_character: a name cannot be converted to UTF-8. */
const INCONVERTIBLE: ReadonlySet<unknown> = new Set(['22021', '22P05']);

/**
 * Asks questions, or runs statements, in a transaction that sees only the system's names. If a name in the database
 * cannot be converted to UTF-8, which does not keep pg_dump from dumping it, asks again without conversion.
 *
 * Connection and server errors pass through. So does a {@link Failure}.
 */
export async function inTransaction<T>(client: pg.Client, access: Access, ask: () => Promise<T>): Promise<T> {
  try {
    return await committed(client, begin(access), ask);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && INCONVERTIBLE.has(error.code))) {
      throw error;
    }
    return committed(client, `${begin(access)}; ${WITHOUT_CONVERSION}`, ask);
  }
}

async function committed<T>(client: pg.Client, begin: string, ask: () => Promise<T>): Promise<T> {
  await client.query(begin);
  let result: T;
  try {
    result = await ask();
  } catch (error) {
    if (error instanceof pg.DatabaseError || error instanceof Failure) {
      // A pooler would close a session with an open transaction, and lose what other clients have set in it. If the
      // server has ended the session, the first error says why.
      await client.query('ROLLBACK').catch(() => undefined);
    }
    throw error;
  }
  await client.query('COMMIT');
  return result;
}
