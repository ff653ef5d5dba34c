import { z } from 'zod';
import { dumpKey } from '../plan/key.ts';
import type { Plan } from '../plan/plan.ts';

const text = z.string();

/** The run that a dump belongs to, in its manifest. */
export const runSchema = z.strictObject({
  databases: z
    .array(z.strictObject({ database: text, key: text }))
    .describe('those to dump, as the secret or the server listed them, the largest first'),
  leftOut: z.array(z.strictObject({ database: text, reason: text })).describe('databases that are not dumped'),
  globals: z
    .strictObject({
      key: text,
      bytes: z.int().nonnegative().nullable(),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullable(),
    })
    .nullable()
    .describe(
      "object with the server's roles and memberships as SQL; size and hash are null if an earlier attempt wrote it",
    ),
});

export function runOf({ task, secretName, run }: Plan): z.infer<typeof runSchema> | null {
  return run === undefined
    ? null
    : {
        databases: run.names.map((database) => ({ database, key: dumpKey(secretName, database, task.scheduledFor) })),
        leftOut: run.leftOut.map((each) => ({ ...each })),
        globals: run.globals ?? null,
      };
}
