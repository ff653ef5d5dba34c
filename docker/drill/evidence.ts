import { z } from 'zod';
import type { DumpObject } from '../s3/object.ts';

const text = z.string();
const count = z.int().nonnegative();
const seconds = z.number().nonnegative();
const time = z.iso.datetime({ precision: 0 }).describe('UTC, whole seconds');
const hash = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .describe('as in the manifest');

const counted = z.strictObject({ count: count.describe('rows, or large objects'), contentHash: hash.nullable() });

/**
 * The object that a drill leaves beside a dump; `evidence.schema.json` is generated from this. Fields may be added, but
 * never renamed, removed or given another meaning without a new `version`.
 */
export const evidenceSchema = z
  .strictObject({
    version: z.literal(1),
    dump: z.strictObject({
      bucket: text,
      key: text,
      bytes: count.nullable(),
      sha256: text
        .nullable()
        .describe('of the whole, as its manifest says, with which the bytes were compared; null if it does not say'),
    }),
    verdict: z.enum(['equal', 'different', 'incomplete', 'failed']),
    reason: text.describe('the verdict in words'),
    tables: z
      .strictObject({ total: count, equal: count.describe('in number and content of their rows') })
      .nullable()
      .describe('of the dump; null if they were not compared'),
    rows: count.nullable().describe('of the equal tables'),
    largeObjects: count.nullable().describe('if they are equal; otherwise 0'),
    differences: z
      .array(
        z.strictObject({
          schema: text.nullable(),
          table: text.nullable().describe('null for the large objects'),
          expected: counted,
          found: counted.nullable().describe('null if there is no such table, or it cannot be read'),
          text,
        }),
      )
      .describe('tables, and large objects, of which the restored database has others than the dump'),
    notRestored: z
      .array(z.strictObject({ what: text, reason: text }))
      .describe('what the server lacks, what depends on it, and whatever else is missing'),
    refused: z
      .array(z.strictObject({ statement: text, reason: text }))
      .describe("the first statements that the server refused, without values, and the server's words"),
    notCompared: z.array(text),
    assertions: z
      .array(
        z.strictObject({
          sql: text,
          result: z.enum(['true', 'false', 'null', 'error']),
          reason: text.nullable().describe('of an error, without values'),
        }),
      )
      .nullable()
      .optional()
      .describe('of the secret at the time of the dump; null if they were not asked'),
    seconds: z.strictObject({
      usable: seconds.nullable().describe('from the start to a usable database; null if there was none'),
      total: seconds,
    }),
    versions: z.strictObject({ server: text.nullable(), pgRestore: text.nullable() }),
    startedAt: time,
    finishedAt: time,
    execution: text.nullable().describe('ARN of the state machine execution; null for a drill by hand'),
  })
  .describe('Evidence of a drill by AutoDump: how a dump compares with what was restored from it.');

export type Evidence = z.infer<typeof evidenceSchema>;

export type Verdict = Evidence['verdict'];

/**
 * Where the evidence of a drill is.
 *
 * @param when UTC, RFC 3339, whole seconds
 */
export function evidenceOf({ bucket, key }: DumpObject, when: string): DumpObject {
  return { bucket, key: `${key}.drill-${when.replace(/[-:]/g, '')}.json` };
}
