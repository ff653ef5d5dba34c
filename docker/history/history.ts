import type { S3Client } from '@aws-sdk/client-s3';
import { pMapIterable } from 'p-map';
import { openS3 } from '../aws.ts';
import { Failure } from '../failure.ts';
import { log } from '../log.ts';
import { suggestion } from '../postgres/names/near-names.ts';
import { nameOf } from '../postgres/names/quoting.ts';
import type { RunContext } from '../run-context.ts';
import { listDumps, type ListedDump } from '../s3/list-dumps.ts';
import { changeOf, inWords } from './change.ts';
import type { HistoryOptions } from './options.ts';
import { readTable, type TableInDump } from './read-table.ts';

/** Manifests that are read at a time. */
const IN_FLIGHT = 8;

/**
 * Lists what the dumps of a secret have of a table, oldest first, by their manifests.
 *
 * @throws {Failure} `refused` if there is no dump, or none has the table; `tryAgain`
 */
export async function history(
  { table, secret, buckets, region }: HistoryOptions,
  { signal }: Pick<RunContext, 'signal'>,
): Promise<void> {
  const s3 = openS3(region);
  try {
    const dumps = await listDumps(s3, buckets, secret, signal);
    if (dumps.length === 0) {
      throw new Failure('refused', `There is no dump of the secret ${secret} in ${buckets.join(', ')}.`);
    }
    log(`${nameOf(table)} in the dumps of the secret ${secret}. Bytes are those of its rows in the dump, compressed:`);
    const { isKnown, names } = await logEach(s3, dumps, { table }, signal);
    if (!isKnown) {
      throw new Failure(
        'refused',
        `No dump is known to have the table ${nameOf(table)}${suggestion(nameOf(table), names) || '.'} Of partitioned tables, ` +
          'manifests have the topmost and the partitions, but none in between, and those of earlier versions the ' +
          'partitions only.',
      );
    }
  } finally {
    s3.destroy();
  }
}

/** @returns whether one has the table, and the tables of all: of a secret with several databases, each has others */
async function logEach(
  s3: S3Client,
  dumps: readonly ListedDump[],
  { table }: Pick<HistoryOptions, 'table'>,
  signal: AbortSignal,
): Promise<{ readonly isKnown: boolean; readonly names: readonly string[] }> {
  const read = async (dump: ListedDump) => ({ dump, ...(await readTable(s3, dump, table, signal)) });
  const last = new Map<string, TableInDump>();
  let isKnown = false;
  const known = new Set<string>();
  for await (const { dump, table: found, names } of pMapIterable(dumps, read, { concurrency: IN_FLIGHT })) {
    const change = changeOf(last.get(dump.database), found);
    const words = [inWords(found), ...(change === '' ? [] : [change])].join('; ');
    log(`${dump.scheduledFor}  ${words}  s3://${dump.bucket}/${dump.key}`);
    if (found.kind === 'counted') {
      last.set(dump.database, found);
    }
    isKnown ||= found.kind !== 'no table' && found.kind !== 'unknown';
    for (const name of names) {
      known.add(name);
    }
  }
  return { isKnown, names: [...known] };
}
