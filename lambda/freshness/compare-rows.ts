import type { S3Client } from '@aws-sdk/client-s3';
import { type StoredDump, whenOf } from '../core/freshness/dump-key.ts';
import type { Vanished } from '../core/freshness/memory.ts';
import type { ListedSecret } from '../core/freshness/owing.ts';
import { censusIn } from '../core/vanished/census.ts';
import { vanishedBetween } from '../core/vanished/comparison.ts';
import { vanishedAsOf } from '../core/vanished/lasting.ts';
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
  /** What to report. */
  readonly found?: VanishedRows | undefined;
  /** The tables whose rows vanished with this dump or an earlier one, and are not back. */
  readonly vanished: Vanished | undefined;
}

/**
 * Compares the rows of a dump with those of the one that was compared before, unless the manifest of either does not
 * count them. A dump is compared once.
 *
 * @param earlier the one that was compared before
 * @param vanished what is remembered of rows that vanished, also of other databases
 */
export async function compareWithEarlier(
  client: S3Client,
  secret: ListedSecret | undefined,
  { earlier, vanished }: { readonly earlier: StoredDump | undefined; readonly vanished: Vanished | undefined },
  { dump, text }: ReadDump,
): Promise<ComparedRows> {
  const after = censusIn(text);
  if (after === undefined) {
    return { compared: earlier, vanished };
  }
  if (secret === undefined || earlier === undefined || !isLater(dump, earlier)) {
    return { compared: dump, vanished };
  }
  const limits = limitsOf(secret.tags);
  const fetched = await readBeside(client, { ...earlier, key: `${earlier.key}.json` }, 'manifest');
  if ('problem' in fetched) {
    // If it has expired, there is nothing to compare with. Otherwise the next dump is compared with it.
    return fetched.isMissing
      ? { compared: dump, vanished: vanishedAsOf(vanished, { dump, census: after }, undefined, limits) }
      : { compared: earlier, vanished };
  }
  const before = censusIn(fetched.text);
  const tables = before === undefined ? [] : vanishedBetween(before, after, limits);
  const found = tables.length === 0 ? undefined : { secret: secret.name, dump, earlier, tables, note: limits.problem };
  return { compared: dump, found, vanished: vanishedAsOf(vanished, { dump, census: after }, found, limits) };
}

function isLater(dump: StoredDump, earlier: StoredDump): boolean {
  return (whenOf(dump.key) ?? '') > (whenOf(earlier.key) ?? '');
}
