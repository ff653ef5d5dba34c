import * as z from 'zod/mini';
import { parsedJson } from '../parsed-json.ts';
import type { Incomplete } from './memory.ts';

/** How many names of databases are remembered and reported. */
const MAX_NAMES = 50;

const manifestSchema = z.object({
  manifestVersion: z.literal(1),
  /** Null if the secret names a single database. Manifests of earlier versions do not have it. */
  run: z.optional(z.nullable(z.object({ databases: z.array(z.object({ database: z.string(), key: z.string() })) }))),
});

/** Whether a run has dumped all of its databases. `single`: it has a single one. */
export type Completeness = 'single' | 'whole' | Incomplete;

/**
 * Whether a run has dumped all databases that the manifest of one of its dumps lists.
 *
 * @param manifest text of the manifest
 * @param keys of the dumps of the run
 * @returns undefined if it is no manifest
 */
export function completenessBy(manifest: string, keys: ReadonlySet<string>): Completeness | undefined {
  const { data, error } = manifestSchema.safeParse(parsedJson(manifest));
  if (error !== undefined) {
    return undefined;
  }
  const databases = data.run?.databases;
  if (databases === undefined) {
    return 'single';
  }
  const missing = databases.filter(({ key }) => !keys.has(key)).map(({ database }) => database);
  return missing.length === 0
    ? 'whole'
    : {
        dumped: databases.length - missing.length,
        expected: databases.length,
        missing: missing.slice(0, MAX_NAMES),
      };
}
