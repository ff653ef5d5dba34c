import type { ArchiveStructure } from '../../archive/archive-structure.ts';
import type { LargeObjects } from '../../census/large-object-script.ts';
import { type HashedCount, sumOf } from '../../census/row-hash.ts';
import { Failure } from '../../failure.ts';
import { nameOf } from '../../postgres/names/quoting.ts';
import { keyOf } from '../comparison.ts';
import type { StoredCensus } from '../stored-dump/stored-census.ts';
import type { ArchiveObject, TableOfContents } from '../stored-dump/table-of-contents.ts';
import type { TargetObjects } from '../target/objects.ts';
import type { SessionSetting } from '../target/session-settings.ts';

/** A table as it must be in a database that was restored from a dump. Names are not quoted. */
export interface ExpectedTable extends HashedCount {
  readonly schema: string;
  readonly name: string;
  /**
   * In the order of the dump, quoted and separated by commas; undefined if its partitions were dumped in different
   * ones.
   */
  readonly columns: string | undefined;
}

/** What must be in a database that was restored from a dump. */
export interface ExpectedCensus {
  readonly tables: readonly ExpectedTable[];
  /** Undefined if the database has had large objects before. */
  readonly largeObjects: LargeObjects | undefined;
  /** PostgreSQL's name of the encoding of the dump. */
  readonly encoding: string;
  /** Versions of the extensions of the dumped database, by their names. */
  readonly extensions: ReadonlyMap<string, string>;
  /** Settings by which the values were written as text. */
  readonly textSettings: Readonly<Record<string, string>>;
  /** `lc_monetary`, by which values of the type `money` were written; null if there are none, or it is not known. */
  readonly moneyLocale: string | null;
}

/** What is known of a dump, and of the database that it will be restored into. */
interface Known {
  readonly contents: Pick<TableOfContents, 'encoding'>;
  readonly objects: readonly ArchiveObject[];
  /** The database before the restore. */
  readonly before: Pick<TargetObjects, 'hasLargeObjects'>;
  /** For the sessions of the restore. */
  readonly settings: readonly SessionSetting[];
}

/** @throws {Failure} `verificationFailed` if the manifest does not have all tables that the dump has */
export function expectedCensus(
  census: StoredCensus,
  { contents, objects, before, settings }: Known,
  blocks: ArchiveStructure['blocks'],
): ExpectedCensus {
  const money = settings.filter(({ name }) => name === 'lc_monetary').map(({ name, value }) => [name, value] as const);
  return {
    tables: expectedTables(objects, blocks, census),
    largeObjects: before.hasLargeObjects ? undefined : census.largeObjects,
    encoding: contents.encoding,
    extensions: census.extensions,
    textSettings: { ...census.textSettings, ...Object.fromEntries(money) },
    moneyLocale: census.moneyLocale,
  };
}

/**
 * The tables that a dump fills. If pg_dump has partitions filled through their partitioned table, because their rows
 * may belong to others where they are restored, it is one table.
 *
 * @param blocks where the archive has its data
 */
function expectedTables(
  objects: readonly ArchiveObject[],
  blocks: ArchiveStructure['blocks'],
  census: StoredCensus,
): readonly ExpectedTable[] {
  const rowsAt = new Map(census.tables.map(({ offset, count, hash }) => [offset, { count, hash }]));
  const filled = objects.flatMap(({ id, kind, copy, ...object }) => {
    if (kind !== 'TABLE DATA') {
      return [];
    }
    const counted = rowsAt.get(blocks.get(id)?.offset ?? -1);
    if (counted === undefined || copy === undefined) {
      throw new Failure(
        'verificationFailed',
        `The manifest does not say how many rows the dump has of ${nameOf(object)}: it is not the manifest of this dump.`,
      );
    }
    return [{ ...copy, ...counted }];
  });
  return byTable(filled);
}

/** Adds up what fills the same table. */
export function byTable(filled: readonly ExpectedTable[]): readonly ExpectedTable[] {
  const tables = new Map<string, ExpectedTable>();
  for (const each of filled) {
    const before = tables.get(keyOf(each));
    tables.set(keyOf(each), before === undefined ? each : together(before, each));
  }
  return [...tables.values()];
}

function together(one: ExpectedTable, other: ExpectedTable): ExpectedTable {
  return {
    ...one,
    columns: one.columns === other.columns ? one.columns : undefined,
    count: one.count + other.count,
    hash: sumOf([one.hash, other.hash]),
  };
}
