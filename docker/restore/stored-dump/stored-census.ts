import { z } from 'zod';
import type { DataBlock } from '../../archive/archive-structure.ts';
import type { LargeObjects } from '../../census/large-object-script.ts';
import type { HashedCount } from '../../census/row-hash.ts';
import { TEXT_SETTINGS } from '../../postgres/database.ts';

/** The rows of a table in a dump, and where they are in it. Names are not quoted. */
export interface CountedTable extends HashedCount, DataBlock {
  readonly schema: string;
  readonly name: string;
}

/** What was counted in a dump while it was proven, as its manifest says. */
export interface StoredCensus {
  readonly tables: readonly CountedTable[];
  readonly largeObjects: LargeObjects;
  /** Versions of the extensions of the dumped database, by their names. */
  readonly extensions: ReadonlyMap<string, string>;
  /** Settings of the session that dumped, by which values were written as text. */
  readonly textSettings: Readonly<Record<string, string>>;
  /** `lc_monetary`, by which values of the type `money` were written; null if there are none, or it is not known. */
  readonly moneyLocale: string | null;
}

/** Absent in manifests of earlier versions, and null in a recovered one. */
export const censusSchema = z.object({
  extensions: z.array(z.object({ name: z.string(), version: z.string() })).nullish(),
  tables: z
    .array(
      z.object({
        schema: z.string(),
        name: z.string(),
        provenRows: z.int().nullish(),
        contentHash: z.string().nullish(),
        offset: z.int().nullish(),
        length: z.int().nullish(),
      }),
    )
    .nullish(),
  largeObjects: z.object({ count: z.int(), bytes: z.number(), contentHash: z.string() }).nullish(),
});

/** @returns null if the manifest has none */
export function storedCensus(
  { tables, largeObjects, extensions }: z.infer<typeof censusSchema>,
  { textSettings, moneyLocale }: Pick<StoredCensus, 'textSettings' | 'moneyLocale'>,
): StoredCensus | null {
  if (!tables || !largeObjects) {
    return null;
  }
  const counted = tables.flatMap(({ schema, name, offset, length, provenRows: count, contentHash: hash }) =>
    typeof offset === 'number' && typeof length === 'number' && typeof count === 'number' && typeof hash === 'string'
      ? [{ schema, name, offset, length, count, hash }]
      : [],
  );
  const { count, bytes, contentHash } = largeObjects;
  // Whoever may write manifests must not choose what a restore sets.
  const known = Object.entries(textSettings).filter(([name]) => TEXT_SETTINGS.some((setting) => setting === name));
  return {
    tables: counted,
    largeObjects: { count, bytes, hash: contentHash },
    extensions: new Map(extensions?.map(({ name, version }) => [name, version])),
    textSettings: Object.fromEntries(known),
    moneyLocale,
  };
}
