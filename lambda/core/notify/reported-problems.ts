import { hash } from 'node:crypto';
import * as z from 'zod/mini';

/** When each problem of scans was last reported: ISO 8601, by the hash of its text. */
export type ReportedProblems = Readonly<Record<string, string>>;

const DAY_MS = 24 * 60 * 60_000;

const schema: z.ZodMiniType<ReportedProblems> = z.record(z.string(), z.string());

/** @throws {Error} if the text is not one that was written */
export function readReportedProblems(text: string): ReportedProblems {
  return schema.parse(JSON.parse(text));
}

/** Scans come every hour, and find the same problems until they are solved: each is reported at once, and then daily. */
export function unreported(
  problems: readonly string[],
  reported: ReportedProblems,
  now: Date,
): { readonly problems: readonly string[]; readonly reported: ReportedProblems } {
  const recent = Object.entries(reported).filter(([, time]) => now.getTime() - Date.parse(time) < DAY_MS);
  const isRecent = new Set(recent.map(([id]) => id));
  const found = problems.filter((problem) => !isRecent.has(idOf(problem)));
  const added = found.map((problem) => [idOf(problem), now.toISOString()] as const);
  return { problems: found, reported: Object.fromEntries([...recent, ...added]) };
}

function idOf(problem: string): string {
  return hash('sha256', problem).slice(0, 32);
}
