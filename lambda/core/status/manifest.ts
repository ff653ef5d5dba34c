import * as z from 'zod/mini';
import type { DumpManifest } from '../freshness/watch.ts';
import { parsedJson } from '../parsed-json.ts';

/** The fields of a manifest that the status needs. */
const manifestSchema = z.object({
  manifestVersion: z.literal(1),
  seconds: z.nullable(z.object({ commit: z.number() })),
  tables: z.nullable(
    z.array(
      z.object({
        /** Estimate of the server; null for a table that was never analyzed. */
        rows: z.nullable(z.number()),
        /** Counted in the dump. Manifests of earlier versions do not have it. */
        provenRows: z.optional(z.nullable(z.number())),
      }),
    ),
  ),
});

/** What a manifest says about its dump. A total is left out unless it is known for every table. */
export function readManifest(text: string): Omit<DumpManifest, 'scheduledFor'> {
  const { data, error } = manifestSchema.safeParse(parsedJson(text));
  if (error !== undefined) {
    return { problem: 'Its manifest is not one of version 1.' };
  }
  const { seconds, tables } = data;
  return { ...rowsOf(tables ?? undefined), ...(seconds === null ? {} : { seconds: seconds.commit }) };
}

type Table = NonNullable<z.infer<typeof manifestSchema>['tables']>[number];

function rowsOf(tables: readonly Table[] | undefined): Pick<DumpManifest, 'rows' | 'rowsAre'> {
  const counted = total(tables?.map(({ provenRows }) => provenRows));
  const rows = counted ?? total(tables?.map((table) => table.rows));
  return rows === undefined ? {} : { rows, rowsAre: counted === undefined ? 'estimated' : 'counted' };
}

/** The sum, if each is known. */
function total(counts: readonly (number | null | undefined)[] | undefined): number | undefined {
  return counts?.reduce<number | undefined>(
    (sum, count) => (sum === undefined || count === null || count === undefined ? undefined : sum + count),
    0,
  );
}
