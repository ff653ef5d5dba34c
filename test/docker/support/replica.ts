import { until } from '../../support/until.ts';
import type { Stage } from './stage.ts';

async function isReplica(stage: Stage): Promise<boolean> {
  try {
    const [row] = await stage.query('postgres', 'SELECT pg_is_in_recovery() AS replica');
    return row?.replica === true;
  } catch {
    // While it restarts, it closes or refuses connections.
    return false;
  }
}

/**
 * Turns the server into a hot standby without a primary: after a crash, it starts in permanent recovery because of
 * `standby.signal`.
 */
export async function becomeReplica(stage: Stage): Promise<void> {
  await stage.writeServerFile('standby.signal', '');
  const client = await stage.connect();
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  process.kill(Number(rows[0]?.pid), 'SIGKILL');
  await ended;
  await until(() => isReplica(stage));
}
