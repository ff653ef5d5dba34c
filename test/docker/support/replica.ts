import type { Stage } from './stage.ts';

async function isReplica(stage: Stage): Promise<boolean> {
  try {
    const [row] = await stage.query('postgres', 'SELECT pg_is_in_recovery() AS replica');
    return row?.replica === true;
  } catch {
    // On its way it cuts or refuses connections.
    return false;
  }
}

/**
 * Turns the server into a hot standby, without a primary: it crashes, and finds on its way up that it is to recover for
 * ever.
 */
export async function becomeReplica(stage: Stage): Promise<void> {
  await stage.writeServerFile('standby.signal', '');
  const client = await stage.connect();
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  process.kill(Number(rows[0]?.pid), 'SIGKILL');
  await ended;
  while (!(await isReplica(stage))) {
    // Each question goes to the server, which answers it or refuses to.
  }
}
