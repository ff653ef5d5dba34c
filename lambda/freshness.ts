import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { parse } from '@aws-sdk/util-arn-parser';
import pMap from 'p-map';
import * as z from 'zod/mini';
import { FRESHNESS_PERIOD_MINUTES, type FreshnessEnvironment, type State, type Status } from '../contract.ts';
import type { News } from './core/freshness/assessment.ts';
import type { Memory } from './core/freshness/memory.ts';
import { eventOf, messageOf } from './core/freshness/message.ts';
import type { ListedSecret } from './core/freshness/owing.ts';
import type { KnownSecret } from './core/status/entry.ts';
import { metricsLine } from './core/status/metrics.ts';
import { statusOf } from './core/status/status.ts';
import { sum } from './core/sum.ts';
import type { CheckContext } from './freshness/check-context.ts';
import { type CheckedSecret, checkSecret, type Remembered, uncheckedSecret } from './freshness/check-secret.ts';
import { withEvidence } from './freshness/evidence.ts';
import { withManifests } from './freshness/manifests.ts';
import { loadMemory, storeMemory } from './freshness/memory-store.ts';
import { reportVanished } from './freshness/report-vanished.ts';
import { storeStatus } from './freshness/status-store.ts';
import { taggedSecrets } from './freshness/tagged-secrets.ts';
import { putOwnEvents } from './own-events.ts';

/** How many secrets are checked concurrently. Ten thousand that are due at once take about half a minute. */
const CONCURRENCY = 20;

/** How many of the secrets that could not be checked an error names. */
const MAX_REASONS = 50;

const MINUTE_MS = 60_000;

const environment: z.ZodMiniType<FreshnessEnvironment> = z.object({
  STATE_MACHINE_ARN: z.string(),
  STATE_BUCKET: z.string(),
  DUMP_BUCKETS: z.string(),
  TOPIC_ARN: z.string(),
  OVERDUE_AFTER_MINUTES: z.string(),
  SCAN_INTERVAL_MINUTES: z.string(),
  SCANNER_NAME: z.string(),
  STACK_NAME: z.string(),
});
const secretsManager = new SecretsManagerClient();
const stepFunctions = new SFNClient();
const s3 = new S3Client();
const sns = new SNSClient();
const eventBridge = new EventBridgeClient();

/** A check is finished, but could not look at these secrets. */
export class FreshnessFailed extends Error {
  override readonly name = 'FreshnessFailed';
  constructor(failures: readonly string[]) {
    const left = failures.length - MAX_REASONS;
    super(
      `${failures.length} secret(s) could not be checked; all others were.\n${failures.slice(0, MAX_REASONS).join('\n')}` +
        (left > 0 ? `\n… and ${left} more, listed in the log` : ''),
    );
  }
}

/** Response of a check: how many secrets are in each state, and on a schedule at all. */
export interface Summary extends Readonly<Record<State, number>> {
  readonly secrets: number;
  /** How many things were reported. */
  readonly reported: number;
}

/**
 * The Freshness function: looks for the dumps and the evidence of drills that have to be there by now, reports what has
 * changed, and writes the status of all secrets.
 *
 * It sends its message before it stores what it remembers. If it fails in between, the message is sent again: better
 * twice than never. The status comes after both, so that nothing about it can keep a message from being sent.
 *
 * @throws {FreshnessFailed} after everything else is done, naming the secrets that could not be checked
 */
export async function handler(): Promise<Summary> {
  const settings = environment.parse(process.env);
  const context = contextOf(settings, new Date());
  const { watches, drills, manifestReads } = await loadMemory(s3, settings.STATE_BUCKET);
  const checked = await pMap(
    await taggedSecrets(secretsManager),
    (secret) => checkOne(secret, { dump: watches.get(secret.arn), drill: drills.get(secret.arn) }, context),
    { concurrency: CONCURRENCY },
  );
  const news = checked.flatMap(({ dump, drill }) => [...(dump?.news ?? []), ...(drill?.news ?? [])]);
  await report(news, settings, context);
  const memory: Memory = {
    watches: watchesOf(checked, ({ dump }) => dump?.watch),
    drills: watchesOf(checked, ({ drill }) => drill?.watch),
    manifestReads,
  };
  await storeMemory(s3, settings.STATE_BUCKET, memory);
  const { totals } = await writeStatus(checked, memory, settings, context);
  const failures = checked.flatMap(({ secret, failure }) =>
    failure === undefined ? [] : [`${secret.name}: ${failure}`],
  );
  if (failures.length > 0) {
    throw new FreshnessFailed(failures);
  }
  return { ...totals.states, secrets: totals.secrets, reported: news.length };
}

/** What is to be remembered of the secrets that have it, by their ARNs. */
function watchesOf<W>(checked: readonly Checked[], watchOf: (one: Checked) => W | undefined): ReadonlyMap<string, W> {
  return new Map(
    checked.flatMap((one) => {
      const watch = watchOf(one);
      return watch === undefined ? [] : [[one.secret.arn, watch] as const];
    }),
  );
}

/**
 * Reads new manifests and evidence, reports rows that vanished, and writes metrics and the status of secrets on a
 * schedule.
 */
async function writeStatus(
  checked: readonly Checked[],
  memory: Memory,
  { STATE_BUCKET: bucket, STACK_NAME: stack, TOPIC_ARN }: FreshnessEnvironment,
  { buckets: [ownBucket = ''], now }: CheckContext,
): Promise<Status> {
  const secrets = new Map(checked.map(({ secret }) => [secret.arn, secret]));
  const withDrills = await withEvidence(s3, memory, now);
  const { memory: complete, seconds, vanished } = await withManifests(s3, withDrills, secrets, now);
  await reportVanished(vanished, { s3, sns, eventBridge, topicArn: TOPIC_ARN, bucket: ownBucket });
  if (complete !== memory) {
    await storeMemory(s3, bucket, complete);
  }
  const { region, accountId: account } = parse(TOPIC_ARN);
  const known = checked.flatMap(({ secret, dump, drill }): readonly KnownSecret[] => {
    const { arn } = secret;
    const drills = drill && { watch: complete.drills.get(arn), finding: drill.finding };
    return dump === undefined && drills === undefined
      ? []
      : [{ secret, watch: complete.watches.get(arn), finding: dump?.finding, drills }];
  });
  const status = statusOf(known, { stack, account, region, periodMinutes: FRESHNESS_PERIOD_MINUTES }, now);
  await storeStatus(s3, bucket, status);
  const bytes = checked.flatMap(({ dump }) => dump?.added ?? []);
  // Not by the console, which would make it a field of another object.
  process.stdout.write(`${metricsLine(status, { bytes: sum(bytes), seconds: sum(seconds) })}\n`);
  return status;
}

function contextOf(settings: FreshnessEnvironment, now: Date): CheckContext {
  return {
    s3,
    stepFunctions,
    stateMachineArn: settings.STATE_MACHINE_ARN,
    buckets: settings.DUMP_BUCKETS.split(','),
    terms: {
      overdueAfterMs: Number(settings.OVERDUE_AFTER_MINUTES) * MINUTE_MS,
      scanIntervalMs: Number(settings.SCAN_INTERVAL_MINUTES) * MINUTE_MS,
    },
    now,
  };
}

interface Checked extends CheckedSecret {
  readonly secret: ListedSecret;
  /** Why the check could not look at it. */
  readonly failure?: string;
}

/** A failure affects only this secret: what is remembered of it stays, and the next check looks at it again. */
async function checkOne(secret: ListedSecret, remembered: Remembered, context: CheckContext): Promise<Checked> {
  try {
    return { secret, ...(await checkSecret(secret, remembered, context)) };
  } catch (error) {
    const failure = String(error);
    console.error(`${secret.name}: ${failure}`);
    return { secret, failure, ...uncheckedSecret(secret, remembered, failure) };
  }
}

async function report(
  news: readonly News[],
  { TOPIC_ARN: TopicArn, SCANNER_NAME: scanner }: FreshnessEnvironment,
  { buckets, now }: CheckContext,
): Promise<void> {
  for (const one of news) {
    console.info(one);
  }
  if (news.length > 0) {
    const { region, accountId } = parse(TopicArn);
    const { subject, text } = messageOf(news, { region, account: accountId, buckets, scanner }, now);
    await sns.send(new PublishCommand({ TopicArn, Subject: subject, Message: text }));
    await putOwnEvents(eventBridge, news.map(eventOf));
  }
}
