import pg from 'pg';

/** The answer to a question, or why there is none. */
export type Answer<T> = { readonly value: T } | { readonly unseen: string };

/**
 * Class 42 of SQLSTATE: the user lacks a privilege, as on servers that hide their catalogs, or the server is so old that
 * it does not have what is asked for. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const NOT_ANSWERED = '42';

/**
 * Asks what a dump can do without. The transaction goes on whatever the answer. Connection errors, and those of the
 * server about anything else than the question, pass through.
 */
export async function ifPermitted<T>(
  client: pg.Client,
  about: string,
  ask: (client: pg.Client) => Promise<T>,
): Promise<Answer<T>> {
  await client.query('SAVEPOINT question');
  try {
    return { value: await ask(client) };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code?.startsWith(NOT_ANSWERED) === true)) {
      throw error;
    }
    await client.query('ROLLBACK TO SAVEPOINT question');
    return { unseen: `${about}: ${error.message}` };
  }
}
