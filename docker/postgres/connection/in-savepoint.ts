import pg from 'pg';

const UNDO = 'ROLLBACK TO SAVEPOINT work; RELEASE SAVEPOINT work';

/**
 * Does work within a transaction, which goes on if the server refuses it. Connection and server errors pass through.
 *
 * @param effects whether those of work that succeeds are kept: its changes, its locks, and its local settings
 */
export async function inSavepoint<T>(
  client: pg.Client,
  effects: 'kept' | 'undone',
  work: () => Promise<T>,
): Promise<T> {
  await client.query('SAVEPOINT work');
  let result: T;
  try {
    result = await work();
  } catch (error) {
    if (error instanceof pg.DatabaseError) {
      // Fails if the server has ended the session, so that this is an error of the connection.
      await client.query(UNDO);
    }
    throw error;
  }
  await client.query(effects === 'kept' ? 'RELEASE SAVEPOINT work' : UNDO);
  return result;
}
