import pg from 'pg';

/** What could not be read, and why. */
export type Unread =
  /** This user may not read it, or not all of it. */
  | { readonly kind: 'hidden'; readonly reason: string }
  /** Nobody can. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** SQLSTATE insufficient_privilege: also where row-level security would hide rows. */
const NO_PRIVILEGE = '42501';

/** Reads something in a transaction, which goes on if the server refuses. Connection errors pass through. */
export async function attempt<T>(client: pg.Client, read: () => Promise<T>): Promise<T | Unread> {
  await client.query('SAVEPOINT reading');
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) {
      throw error;
    }
    await client.query('ROLLBACK TO SAVEPOINT reading');
    return error.code === NO_PRIVILEGE
      ? { kind: 'hidden', reason: error.message }
      : // Its message may contain values.
        { kind: 'unreadable', reason: `SQLSTATE ${error.code}` };
  }
}
