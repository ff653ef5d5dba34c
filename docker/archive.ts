import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

import { dumpFailure, verificationFailure } from './archive-failure.ts';
import { Checksum } from './checksum.ts';
import type { Checksums } from './checksum.ts';
import { run } from './child.ts';
import { compressOption } from './clients.ts';
import type { Compression, PostgresClient } from './clients.ts';
import { log } from './log.ts';
import { withProgress } from './progress.ts';

/**
 * Longest wait for a lock that another session holds. While pg_dump waits for its own, weak lock, whoever wants a
 * strong one on that table later waits as well; so this bounds how long a dump can hold up the application.
 */
const LOCK_WAIT_MS = 60_000;

/**
 * A server that vanished without a word is noticed after two minutes. Holds no secret, and no database name, which
 * could be taken for more.
 */
const KEEPALIVE = 'keepalives_idle=60 keepalives_interval=10 keepalives_count=6';

const READ_BYTES = 1024 * 1024;

export interface DumpOrder {
  readonly client: PostgresClient;
  readonly compression: Compression;
  /** libpq's variables and the rest of what pg_dump sees. */
  readonly environment: NodeJS.ProcessEnv;
  /** To be written; must not exist. */
  readonly file: string;
  /** Bytes of the database on the server's disk. */
  readonly databaseSize: number;
}

/**
 * Dumps the database in the custom format, without owners.
 * @throws {Failure} if pg_dump did not end well
 */
export async function dumpDatabase(order: DumpOrder, signal: AbortSignal): Promise<void> {
  const { client, compression, environment, file, databaseSize } = order;
  const args = [
    '--format=custom',
    '--no-owner',
    '--no-password',
    `--lock-wait-timeout=${LOCK_WAIT_MS}`,
    compressOption(compression),
    `--file=${file}`,
    `--dbname=${KEEPALIVE}`,
  ];
  const phase = {
    name: 'Dumping',
    done: () =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    total: { bytes: databaseSize, what: "of the database's size on disk" },
  };
  await withProgress(phase, async () => {
    const ended = await run(client.pgDump, args, { environment, signal });
    if (ended.status !== 0) {
      throw dumpFailure(ended);
    }
    for (const warning of ended.complaints) {
      log(warning);
    }
  });
}

/**
 * Proves the dump: pg_restore turns all of it into SQL, and the very bytes that it is given are those of the checksums.
 * `pg_restore --list` reads the table of contents alone and would prove next to nothing. What gzip data have and zstd
 * data, as pg_dump writes them, lack is a checksum: of a byte that the disk changed before this read, zstd may notice
 * nothing.
 * @throws {Failure} `verificationFailed` if it could not be read to its end
 */
export async function verifyArchive({ client, environment, file }: DumpOrder, signal: AbortSignal): Promise<Checksums> {
  const checksum = new Checksum();
  const { size } = await stat(file);
  const phase = { name: 'Proving', done: () => checksum.bytes, total: { bytes: size, what: 'of the dump' } };
  return withProgress(phase, async () => {
    const input = checksum.of(createReadStream(file, { highWaterMark: READ_BYTES }));
    const ended = await run(client.pgRestore, ['--file=/dev/null'], { environment, input, signal });
    if (ended.status !== 0 || !ended.tookAllInput) {
      throw verificationFailure(ended);
    }
    return checksum.result();
  });
}
