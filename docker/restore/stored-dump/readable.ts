import { run } from '../../child.ts';
import type { PostgresClient } from '../../postgres/clients.ts';

/** Whether pg_restore can read an archive to its end, without a server, as when the dump was proven. */
export async function isReadable(file: string, { pgRestore }: PostgresClient, signal: AbortSignal): Promise<boolean> {
  const { status } = await run(pgRestore, ['--file=/dev/null', file], { environment: { LC_ALL: 'C' }, signal });
  return status === 0;
}
