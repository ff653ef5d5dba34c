import * as z from 'zod/mini';
import type { DrillEvidence } from '../freshness/memory.ts';
import { parsedJson } from '../parsed-json.ts';
import { sum } from '../sum.ts';
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

/** Without the scheduled time. */
export type EvidenceFacts = Omit<DrillEvidence, 'scheduledFor'>;

/** What the evidence of a drill says. */
export function readEvidence(text: string): EvidenceFacts {
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

/** The worst first. */
const VERDICTS = ['failed', 'different', 'incomplete', 'equal'] as const;

/**
 * What the evidence of a drill of several databases says together: the worst verdict holds, and tables are left out
 * unless those of all were compared.
 *
 * @param each database with its evidence, at least one
 */
export function combinedEvidence(each: readonly (readonly [database: string, EvidenceFacts])[]): EvidenceFacts {
  const facts = each.map(([, one]) => one);
  const [first = {}, ...others] = facts;
  if (others.length === 0) {
    return first;
  }
  const verdict = VERDICTS.find((one) => facts.some((other) => other.verdict === one));
  const worst = each.filter(([, one]) => one.verdict === verdict);
  const tables = facts.flatMap((one) => one.tables ?? []);
  const seconds = facts.flatMap((one) => one.seconds ?? []);
  const [finishedAt] = facts.flatMap((one) => one.finishedAt ?? []).sort((one, other) => (one < other ? 1 : -1));
  const unread = each.find(([, one]) => one.problem !== undefined);
  return {
    databases: facts.length,
    ...(verdict === undefined
      ? {}
      : {
          verdict,
          reason: `of ${worst.length} of ${facts.length} databases; ${reasonOf(worst[0])}`.slice(0, MAX_REASON),
        }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(tables.length < facts.length
      ? {}
      : { tables: { total: sum(tables.map(({ total }) => total)), equal: sum(tables.map(({ equal }) => equal)) } }),
    ...(seconds.length < facts.length ? {} : { seconds: sum(seconds) }),
    ...(unread === undefined ? {} : { problem: `${unread[0]}: ${unread[1].problem ?? ''}` }),
  };
}

function reasonOf([database, { reason }]: readonly [database: string, EvidenceFacts] = ['', {}]): string {
  return `${onOneLine(database)}: ${reason ?? ''}`;
}
