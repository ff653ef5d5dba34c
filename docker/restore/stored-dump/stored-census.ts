import { z } from 'zod';
import type { LargeObjects } from '../../census/large-object-script.ts';
import type { HashedCount } from '../../census/row-hash.ts';
import { TEXT_SETTINGS } from '../../postgres/database.ts';

/** What was counted in a dump while it was proven, as its manifest says. */
export interface StoredCensus {
  /** Rows by the place of their data in the object. */
  readonly rowsAt: ReadonlyMap<number, HashedCount>;
  readonly largeObjects: LargeObjects;
  /** Versions of the extensions of the dumped database, by their names. */
  readonly extensions: ReadonlyMap<string, string>;
  /** Settings of the session that dumped, by which values were written as text. */
  readonly textSettings: Readonly<Record<string, string>>;
}

/** Absent in manifests of earlier versions, and null in a recovered one. */
export const censusSchema = z.object({
  extensions: z.array(z.object({ name: z.string(), version: z.string() })).nullish(),
  tables: z
    .array(z.object({ provenRows: z.int().nullish(), contentHash: z.string().nullish(), offset: z.number().nullish() }))
    .nullish(),
  largeObjects: z.object({ count: z.int(), bytes: z.number(), contentHash: z.string() }).nullish(),
});

/** @returns null if the manifest has none */
export function storedCensus(
  { tables, largeObjects, extensions }: z.infer<typeof censusSchema>,
  textSettings: StoredCensus['textSettings'],
): StoredCensus | null {
  if (!tables || !largeObjects) {
    return null;
  }
  const rowsAt = new Map<number, HashedCount>();
  for (const { offset, provenRows, contentHash } of tables) {
    if (typeof offset === 'number' && typeof provenRows === 'number' && typeof contentHash === 'string') {
      rowsAt.set(offset, { count: provenRows, hash: contentHash });
    }
  }
  const { count, bytes, contentHash } = largeObjects;
  // Whoever may write manifests must not choose what a restore sets.
  const known = Object.entries(textSettings).filter(([name]) => TEXT_SETTINGS.some((setting) => setting === name));
  return {
    rowsAt,
    largeObjects: { count, bytes, hash: contentHash },
    extensions: new Map(extensions?.map(({ name, version }) => [name, version])),
    textSettings: Object.fromEntries(known),
  };
}
