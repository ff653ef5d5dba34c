import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { assess, assessBroken, type Assessment, gapsOf, runToAskFor } from '../core/freshness/assessment.ts';
import { type ListedSecret, type Owing, owingOf, type Terms } from '../core/freshness/owing.ts';
import type { Watch } from '../core/freshness/watch.ts';
import { findDumps } from './dumps.ts';
import { describeRun } from './runs.ts';

/** Clients and settings that the checks of all secrets share. */
export interface CheckContext {
  readonly s3: S3Client;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly buckets: readonly string[];
  readonly terms: Terms;
  readonly now: Date;
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
): Promise<Assessment | undefined> {
  const owing = owingOf(secret, remembered, context.now, context.terms);
  switch (owing.kind) {
    case 'nothing':
      return undefined;
    case 'broken':
      return assessBroken(aboutOf(secret, owing), remembered, owing, context.now);
    case 'dumps':
      return checkDumps(secret, remembered, owing, context);
  }
}

async function checkDumps(
  secret: ListedSecret,
  remembered: Watch | undefined,
  owing: Owing & { kind: 'dumps' },
  { s3, stepFunctions, stateMachineArn, buckets, now }: CheckContext,
): Promise<Assessment> {
  const { tags, due, next } = owing;
  const { newest } = remembered ?? {};
  // Tags owe nothing for the time before them.
  const arrears = remembered?.tagsHash === tags.hash ? remembered.arrears : undefined;
  const before: Watch = { tagsHash: tags.hash, next, newest, arrears };
  const [first, ...others] = [...(arrears ? [arrears.last] : []), ...due];
  if (first === undefined) {
    return { news: [], watch: before };
  }
  const search = { secretName: secret.name, wanted: [first, ...others], known: newest } as const;
  const found = await findDumps(s3, buckets, search);
  const when = runToAskFor(gapsOf(before, owing, found));
  const run =
    when === undefined
      ? ({ status: 'none' } as const)
      : await describeRun(stepFunctions, stateMachineArn, { secretArn: secret.arn, tagsHash: tags.hash, when });
  return assess(aboutOf(secret, owing), before, owing, found, run, now);
}

function aboutOf({ name }: ListedSecret, { tags }: Exclude<Owing, { kind: 'nothing' }>) {
  return { secret: name, timezone: tags.timezone };
}
