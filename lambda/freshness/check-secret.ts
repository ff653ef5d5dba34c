import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import {
  assess,
  assessBroken,
  type Assessment,
  type FoundDumps,
  gapsOf,
  type Run,
  runToAskFor,
} from '../core/freshness/assessment.ts';
import { historyOf } from '../core/freshness/history.ts';
import type { Watch } from '../core/freshness/memory.ts';
import { isOld, type ListedSecret, type Owing, owingOf, type Terms } from '../core/freshness/owing.ts';
import type { Finding } from '../core/status/entry.ts';
import { findDumps } from './dumps.ts';
import { describeRun } from './runs.ts';

/**
 * If none of a secret's dumps was due for this long, they are searched for nevertheless: the newest may have expired,
 * or one may have been made on request. Daily schedules never reach it, not even when the clock is shifted.
 */
const SEARCH_AGAIN_MS = 30 * 60 * 60_000;

/** Clients and settings that the checks of all secrets share. */
export interface CheckContext {
  readonly s3: S3Client;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly buckets: readonly string[];
  readonly terms: Terms;
  readonly now: Date;
}

/** What a check of a secret found out. */
export interface CheckedSecret extends Assessment {
  readonly finding: Finding;
  /** Bytes of each dump that was not there at the last search. */
  readonly added: readonly number[];
}

/**
 * Checks whether the dumps that a secret owes by now are there.
 *
 * @returns undefined if the secret is not on a schedule
 */
export async function checkSecret(
  secret: ListedSecret,
  remembered: Watch | undefined,
  context: CheckContext,
): Promise<CheckedSecret | undefined> {
  const { now } = context;
  const owing = owingOf(secret, remembered, now, context.terms);
  if (owing.kind === 'nothing') {
    return undefined;
  }
  const { hash: tagsHash } = owing.tags;
  // Tags owe nothing for the time before them.
  const arrears = remembered?.tagsHash === tagsHash ? remembered.arrears : undefined;
  const wanted = owing.kind === 'broken' ? [] : [...(arrears ? [arrears.last] : []), ...owing.due];
  const found = needsSearch(owing, wanted, remembered, context)
    ? await search(secret.name, wanted, remembered, context)
    : undefined;
  const history = found === undefined ? undefined : historyOf(remembered, found);
  const before: Watch = { tagsHash, newest: found === undefined ? remembered?.newest : found.newest, arrears };
  const assessed =
    owing.kind === 'broken'
      ? assessTags(secret, remembered, owing, now)
      : await assessDumps(secret, before, owing, found, context);
  const watch: Watch = {
    ...assessed.watch,
    newest: before.newest,
    searched: found === undefined ? remembered?.searched : now.toISOString(),
    sizes: history?.sizes ?? remembered?.sizes,
    manifest: remembered?.manifest,
    manifestRead: remembered?.manifestRead,
    compared: remembered?.compared,
  };
  return { ...assessed, watch, added: history?.added ?? [] };
}

function needsSearch(
  owing: Owing,
  wanted: readonly string[],
  { newest, searched }: Partial<Watch> = {},
  { terms, now }: CheckContext,
): boolean {
  return (
    wanted.length > 0 ||
    searched === undefined ||
    now.getTime() - Date.parse(searched) >= SEARCH_AGAIN_MS ||
    // A newer one may have come that was not owed.
    (owing.kind === 'dumps' && isOld(newest, owing.schedule, now, terms))
  );
}

async function search(
  secretName: string,
  wanted: readonly string[],
  { newest, sizes }: Partial<Watch> = {},
  { s3, buckets }: CheckContext,
): Promise<FoundDumps> {
  // Without their sizes, all dumps are listed once.
  const known = sizes === undefined ? undefined : newest;
  return await findDumps(s3, buckets, { secretName, wanted, known });
}

type Assessed = Pick<CheckedSecret, 'news' | 'watch' | 'finding'>;

function assessTags(
  secret: ListedSecret,
  remembered: Watch | undefined,
  owing: Owing & { kind: 'broken' },
  now: Date,
): Assessed {
  const finding: Finding = { kind: 'broken', reason: owing.reason };
  return { ...assessBroken(aboutOf(secret, owing), remembered, owing, now), finding };
}

async function assessDumps(
  secret: ListedSecret,
  before: Watch,
  owing: Owing & { kind: 'dumps' },
  found: FoundDumps | undefined,
  { stepFunctions, stateMachineArn, terms, now }: CheckContext,
): Promise<Assessed> {
  const { tags, schedule, next } = owing;
  const finding = { kind: 'checked', schedule, isOld: isOld(before.newest, schedule, now, terms) } as const;
  if (found === undefined) {
    return { news: [], watch: { ...before, next }, finding };
  }
  const gaps = gapsOf(before, owing, found);
  const when = runToAskFor(gaps);
  const run: Run =
    when === undefined
      ? { status: 'none' }
      : await describeRun(stepFunctions, stateMachineArn, { secretArn: secret.arn, tagsHash: tags.hash, when });
  return { ...assess(aboutOf(secret, owing), before, owing, gaps, run, now), finding: { ...finding, run } };
}

function aboutOf({ name }: ListedSecret, { tags }: Exclude<Owing, { kind: 'nothing' }>) {
  return { secret: name, timezone: tags.timezone };
}
