import { hash } from 'node:crypto';
import * as z from 'zod/mini';

/** When each problem of scans was last seen: ISO 8601, by the hash of its text. */
export type KnownProblems = Readonly<Record<string, string>>;

/** A problem that no scan has had for this long is forgotten, and reported if it comes back. */
const FORGET_MS = 24 * 60 * 60_000;

const schema: z.ZodMiniType<KnownProblems> = z.record(z.string(), z.string());

/** @throws {Error} if the text is not one that was written */
export function readKnownProblems(text: string): KnownProblems {
  return schema.parse(JSON.parse(text));
}

/**
 * Which problems are to be reported. Scans find the same ones every hour until they are solved, so each is reported once;
 * Freshness reminds of tags that cannot be followed and of dumps that are missing.
 */
export function newProblems(
  problems: readonly string[],
  known: KnownProblems,
  now: Date,
): { readonly problems: readonly string[]; readonly known: KnownProblems } {
  const recent = Object.entries(known).filter(([, seen]) => now.getTime() - Date.parse(seen) < FORGET_MS);
  const isKnown = new Set(recent.map(([id]) => id));
  const seen = problems.map((problem) => [idOf(problem), now.toISOString()] as const);
  return {
    problems: problems.filter((problem) => !isKnown.has(idOf(problem))),
    known: Object.fromEntries([...recent, ...seen]),
  };
}

function idOf(problem: string): string {
  return hash('sha256', problem).slice(0, 32);
}
