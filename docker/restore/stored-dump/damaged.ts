import { run, wasStopped } from '../../child.ts';
import { CLIENT_OUT_OF_MEMORY } from '../../postgres/client-memory.ts';
import type { PostgresClient } from '../../postgres/clients.ts';

/**
 * Whether pg_restore fails to read an archive to its end, without a server, as it did when the dump was proven. Not known to be
 * so if it was stopped, or ran out of memory.
 */
export async function isDamaged(file: string, { pgRestore }: PostgresClient, signal: AbortSignal): Promise<boolean> {
  const exit = await run(pgRestore, ['--file=/dev/null', file], { environment: { LC_ALL: 'C' }, signal });
  return exit.status !== 0 && !wasStopped(exit) && !CLIENT_OUT_OF_MEMORY.test(exit.lastLines.join('\n'));
}
