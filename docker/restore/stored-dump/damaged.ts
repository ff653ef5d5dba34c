import type { PostgresClient } from '../../postgres/clients.ts';
import { run } from '../../process/child.ts';
import { wasCutShort } from './reread-failure.ts';

/**
 * Whether pg_restore fails to read an archive to its end, without a server, as it did when the dump was proven. Not
 * known to be so if it was cut short. The errors of reading a stream pass through.
 *
 * @param archive a file, or what reads the archive from its first byte to the last
 */
export async function isDamaged(
  archive: { readonly file: string } | { readonly read: () => AsyncIterable<Buffer> },
  { pgRestore }: PostgresClient,
  signal: AbortSignal,
): Promise<boolean> {
  const options = { environment: { LC_ALL: 'C' }, signal };
  const exit =
    'file' in archive
      ? await run(pgRestore, ['--file=/dev/null', archive.file], options)
      : await run(pgRestore, ['--file=/dev/null'], { ...options, input: archive.read() });
  return exit.status !== 0 && !wasCutShort(exit);
}
