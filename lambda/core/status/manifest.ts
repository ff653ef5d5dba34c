import * as z from 'zod/mini';
import type { DumpManifest } from '../freshness/memory.ts';
import { parsedJson } from '../parsed-json.ts';
import { sum } from '../sum.ts';

/** The fields of a manifest that the status needs. */
const manifestSchema = z.object({
  manifestVersion: z.literal(1),
  source: z.object({ host: z.string(), database: z.string() }),
  /** Null if the secret names a single database. Manifests of earlier versions do not have it. */
  run: z.optional(z.nullable(z.unknown())),
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

/** Without the scheduled time. */
export type ManifestFacts = Omit<DumpManifest, 'scheduledFor'>;

/** What a manifest says about its dump. Estimates are left out unless there is one for every table. */
export function readManifest(text: string): ManifestFacts {
  const { data, error } = manifestSchema.safeParse(parsedJson(text));
  if (error !== undefined) {
    return { problem: 'Its manifest is not one of version 1.' };
  }
  const { source, run, seconds, tables } = data;
  const databases = run === null || run === undefined ? {} : { databases: 1 };
  return {
    ...source,
    ...databases,
    ...rowsOf(tables ?? undefined),
    ...(seconds === null ? {} : { seconds: seconds.commit }),
  };
}

/**
 * What the manifests of a run of several databases say together. Rows are left out unless all of them are known.
 *
 * @param facts of each, at least one; with its database, even if there is a problem
 */
export function combinedManifests(facts: readonly ManifestFacts[]): ManifestFacts {
  const [first = {}, ...others] = facts;
  if (others.length === 0) {
    return first;
  }
  const rows = facts.flatMap((one) => one.rows ?? []);
  const seconds = facts.flatMap((one) => one.seconds ?? []);
  const host = facts.find((one) => one.host !== undefined)?.host;
  const unread = facts.find((one) => one.problem !== undefined);
  return {
    databases: facts.length,
    ...(host === undefined ? {} : { host }),
    ...(rows.length < facts.length
      ? {}
      : { rows: sum(rows), rowsAre: facts.some((one) => one.rowsAre === 'estimated') ? 'estimated' : 'counted' }),
    ...(seconds.length === 0 ? {} : { seconds: sum(seconds) }),
    ...(unread === undefined ? {} : { problem: `${unread.database ?? ''}: ${unread.problem ?? ''}` }),
  };
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
