import type { Client } from 'pg';
import type { ConnectionSettings } from '../postgres/connection/connection-settings.ts';
import type { StoredDump } from '../restore/stored-dump/stored-dump.ts';
import {
  type ArchiveObject,
  decodedBy,
  objectsOf,
  type TableOfContents,
} from '../restore/stored-dump/table-of-contents.ts';
import { inspectTarget, type TargetDatabase } from '../restore/target/database.ts';
import { checkConversion, checkEncoding } from '../restore/target/encoding.ts';
import { moneySettings } from '../restore/target/money.ts';
import { type TargetObjects, targetObjects } from '../restore/target/objects.ts';
import type { SessionSetting } from '../restore/target/session-settings.ts';
import type { ArchiveIndex } from './archive-index.ts';

/** A dump, before rows of it are fetched. */
export interface KnownDump {
  readonly dump: StoredDump;
  readonly contents: TableOfContents;
  readonly index: ArchiveIndex;
}

/** What the target answered. */
export interface ExaminedTarget {
  readonly database: TargetDatabase;
  readonly before: TargetObjects;
  /** Of the archive. */
  readonly objects: readonly ArchiveObject[];
  /** That create them, by ID. */
  readonly statements: ReadonlyMap<number, string>;
  /** What a session needs, and does not begin with. */
  readonly settings: readonly SessionSetting[];
}

/**
 * Asks the target for all that the checks and the plan need. Connection and server errors pass through.
 *
 * @throws {Failure} `refused` if its encoding or locales do not suit the dump
 */
export async function examineTarget(
  connection: Client,
  target: ConnectionSettings,
  { dump, contents, index }: KnownDump,
  acceptEncoding: boolean,
): Promise<ExaminedTarget> {
  const database = await inspectTarget(connection);
  await checkConversion(contents.encoding, database.encoding, connection);
  checkEncoding(contents.encoding, database.encoding, target, acceptEncoding);
  return {
    database,
    before: await targetObjects(connection),
    objects: await objectsOf(contents, database.encoding, connection),
    statements: await decodedStatements(connection, index, contents),
    settings: [...database.unsuitable, ...(await moneySettings(connection, dump.moneyLocale, acceptEncoding))],
  };
}

/** Only those are decoded that are not in ASCII: the others are the same in every encoding. */
async function decodedStatements(
  connection: Client,
  { definitions }: ArchiveIndex,
  { encoding }: TableOfContents,
): Promise<ReadonlyMap<number, string>> {
  const foreign = [...definitions].filter(([, bytes]) => /[\x80-\xff]/.test(bytes));
  const texts = foreign.map(([, bytes]) => bytes);
  const decoded = await decodedBy(connection, texts, encoding);
  return new Map([...definitions, ...foreign.map(([id], index) => [id, decoded[index] ?? ''] as const)]);
}
