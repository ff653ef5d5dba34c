import * as z from 'zod/mini';
import type { DumpManifest } from '../freshness/memory.ts';
import { parsedJson } from '../parsed-json.ts';
import { sum } from '../sum.ts';

/** The fields of a manifest that the status needs. */
const manifestSchema = z.object({
  manifestVersion: z.literal(1),
  source: z.object({ host: z.string(), database: z.string() }),
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

/** What a manifest says about its dump. Estimates are left out unless there is one for every table. */
export function readManifest(text: string): Omit<DumpManifest, 'scheduledFor'> {
  const { data, error } = manifestSchema.safeParse(parsedJson(text));
  if (error !== undefined) {
    return { problem: 'Its manifest is not one of version 1.' };
  }
  const { source, seconds, tables } = data;
  return { ...source, ...rowsOf(tables ?? undefined), ...(seconds === null ? {} : { seconds: seconds.commit }) };
}

type Table = NonNullable<z.infer<typeof manifestSchema>['tables']>[number];

function rowsOf(tables: readonly Table[] | undefined): Pick<DumpManifest, 'rows' | 'rowsAre'> {
  if (tables === undefined) {
    return {};
  }
  const counts = tables.flatMap(({ provenRows }) => provenRows ?? []);
  // Tables of which the dump has no rows were not counted.
  if (counts.length > 0 || tables.length === 0) {
    return { rows: sum(counts), rowsAre: 'counted' };
  }
  const estimates = tables.flatMap(({ rows }) => rows ?? []);
  return estimates.length === tables.length ? { rows: sum(estimates), rowsAre: 'estimated' } : {};
}
