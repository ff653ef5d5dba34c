import pg from 'pg';
import { inSavepoint } from './in-savepoint.ts';

/** The answer to a question, or why there is none. */
export type Answer<T> = { readonly value: T } | { readonly unseen: string };

/**
 * Classes and codes of SQLSTATE. https://www.postgresql.org/docs/current/errcodes-appendix.html
 *
 * - 42: the user lacks a privilege, as on servers that hide their catalogs, or the server is so old that it does not
 *   have what is asked for.
 * - 53, 54: the question takes more memory or disk than the server has, or exceeds another limit of it.
 * - 57014, query_canceled: it takes too long.
 */
const NOT_ANSWERED = ['42', '53', '54', '57014'];

/** Each of a question's statements may take this long, less than the time after which the connection is given up. */
const BOUND = "SET LOCAL statement_timeout TO '20s'";

/**
 * Asks what a dump can do without, and changes nothing. The transaction goes on whatever the answer. Connection errors,
 * and those of the server about anything else than the question, pass through.
 */
export async function ifAnswered<T>(
  client: pg.Client,
  about: string,
  ask: (client: pg.Client) => Promise<T>,
): Promise<Answer<T>> {
  try {
    const value = await inSavepoint(client, 'undone', async () => {
      await client.query(BOUND);
      return ask(client);
    });
    return { value };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && NOT_ANSWERED.some((code) => error.code?.startsWith(code)))) {
      throw error;
    }
    return { unseen: `${about}: ${error.message}` };
  }
}
