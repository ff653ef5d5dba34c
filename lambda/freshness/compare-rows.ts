import type { S3Client } from '@aws-sdk/client-s3';
import { isSameDatabase, type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import type { ListedSecret } from '../core/freshness/owing.ts';
import { censusIn } from '../core/vanished/census.ts';
import { vanishedBetween } from '../core/vanished/comparison.ts';
import { limitsOf } from '../core/vanished/limits.ts';
import type { VanishedRows } from '../core/vanished/message.ts';
import { readBeside } from './read-beside.ts';

/** A dump with the text of its manifest. */
export interface ReadDump {
  readonly dump: StoredDump;
  readonly text: string;
}

export interface ComparedRows {
  /** The dump to compare the next one with. */
  readonly compared: StoredDump | undefined;
  readonly vanished?: VanishedRows | undefined;
}

/**
 * Compares the rows of a dump with those of the one that was compared before, unless the manifest of either does not
 * count them. A dump is compared once.
 *
 * @param earlier the one that was compared before
 */
export async function compareWithEarlier(
  client: S3Client,
  secret: ListedSecret | undefined,
  earlier: StoredDump | undefined,
  { dump, text }: ReadDump,
): Promise<ComparedRows> {
  const after = censusIn(text);
  if (after === undefined) {
    return { compared: earlier };
  }
  if (secret === undefined || earlier === undefined || !isLater(dump, earlier)) {
    return { compared: dump };
  }
  const fetched = await readBeside(client, { ...earlier, key: `${earlier.key}.json` }, 'manifest');
  if ('problem' in fetched) {
    // If it has expired, there is nothing to compare with. Otherwise the next dump is compared with it.
    return { compared: fetched.isMissing ? dump : earlier };
  }
  const before = censusIn(fetched.text);
  const limits = limitsOf(secret.tags);
  const tables = before === undefined ? [] : vanishedBetween(before, after, limits);
  return {
    compared: dump,
    vanished: tables.length === 0 ? undefined : { secret: secret.name, dump, earlier, tables, note: limits.problem },
  };
}

function isLater(dump: StoredDump, earlier: StoredDump): boolean {
  return isSameDatabase(dump, earlier) && (whenOf(dump.key) ?? '') > (whenOf(earlier.key) ?? '');
}
