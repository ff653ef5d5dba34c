import * as z from 'zod/mini';
import type { DrillEvidence } from '../freshness/memory.ts';
import { parsedJson } from '../parsed-json.ts';
import { onOneLine } from '../words/one-line.ts';

/** Longest reason that is remembered, in characters. The evidence has all of it. */
const MAX_REASON = 500;

/** The fields of the evidence of a drill that the status needs. */
const evidenceSchema = z.object({
  version: z.literal(1),
  verdict: z.enum(['equal', 'different', 'incomplete', 'failed']),
  reason: z.string(),
  tables: z.nullable(z.object({ total: z.number(), equal: z.number() })),
  seconds: z.object({ usable: z.nullable(z.number()) }),
  finishedAt: z.string(),
});

/** What the evidence of a drill says. */
export function readEvidence(text: string): Omit<DrillEvidence, 'scheduledFor'> {
  const { data, error } = evidenceSchema.safeParse(parsedJson(text));
  if (error !== undefined) {
    return { problem: 'Its evidence is not that of version 1.' };
  }
  const { verdict, reason, tables, seconds, finishedAt } = data;
  return {
    verdict,
    reason: onOneLine(reason).slice(0, MAX_REASON),
    finishedAt,
    ...(tables === null ? {} : { tables }),
    ...(seconds.usable === null ? {} : { seconds: seconds.usable }),
  };
}
