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
import type { Memory, Watch } from './core/freshness/memory.ts';
import { messageOf } from './core/freshness/message.ts';
import type { ListedSecret } from './core/freshness/owing.ts';
import type { KnownSecret } from './core/status/entry.ts';
import { metricsLine } from './core/status/metrics.ts';
import { statusOf } from './core/status/status.ts';
import { sum } from './core/sum.ts';
import { type CheckContext, checkSecret } from './freshness/check-secret.ts';
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
 * The Freshness function: looks for the dumps that have to be there by now, reports what has changed, and writes the
 * status of all secrets.
 *
 * It sends its message before it stores what it remembers. If it fails in between, the message is sent again: better
 * twice than never. The status comes after both, so that nothing about it can keep a message from being sent.
 *
 * @throws {FreshnessFailed} after everything else is done, naming the secrets that could not be checked
 */
export async function handler(): Promise<Summary> {
  const settings = environment.parse(process.env);
  const context = contextOf(settings, new Date());
  const { watches, manifestReads } = await loadMemory(s3, settings.STATE_BUCKET);
  const checked = await pMap(
    await taggedSecrets(secretsManager),
    (secret) => checkOne(secret, watches.get(secret.arn), context),
    { concurrency: CONCURRENCY },
  );
  const scheduled = checked.filter((one) => one !== undefined);
  const news = scheduled.flatMap((one) => one.news);
  await report(news, settings, context);
  const remembered = scheduled.flatMap(({ secret, watch }) =>
    watch === undefined ? [] : [[secret.arn, watch] as const],
  );
  const memory: Memory = { watches: new Map(remembered), manifestReads };
  await storeMemory(s3, settings.STATE_BUCKET, memory);
  const { totals } = await writeStatus(scheduled, memory, settings, context);
  const failures = scheduled.flatMap(({ secret, finding }) =>
    finding.kind === 'unchecked' ? [`${secret.name}: ${finding.reason}`] : [],
  );
  if (failures.length > 0) {
    throw new FreshnessFailed(failures);
  }
  return { ...totals.states, secrets: totals.secrets, reported: news.length };
}

/** Reads manifests that are new, reports rows that vanished, and writes the status and the metrics. */
async function writeStatus(
  scheduled: readonly Checked[],
  memory: Memory,
  { STATE_BUCKET: bucket, STACK_NAME: stack, TOPIC_ARN }: FreshnessEnvironment,
  { buckets: [ownBucket = ''], now }: CheckContext,
): Promise<Status> {
  const secrets = new Map(scheduled.map(({ secret }) => [secret.arn, secret]));
  const { memory: complete, seconds, vanished } = await withManifests(s3, memory, secrets, now);
  await reportVanished(vanished, { s3, sns, eventBridge, topicArn: TOPIC_ARN, bucket: ownBucket });
  if (complete !== memory) {
    await storeMemory(s3, bucket, complete);
  }
  const { region, accountId: account } = parse(TOPIC_ARN);
  const known = scheduled.map((one) => ({ ...one, watch: complete.watches.get(one.secret.arn) }));
  const status = statusOf(known, { stack, account, region, periodMinutes: FRESHNESS_PERIOD_MINUTES }, now);
  await storeStatus(s3, bucket, status);
  const bytes = scheduled.flatMap(({ added }) => added);
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

interface Checked extends KnownSecret {
  readonly news: readonly News[];
  /** Bytes of each dump that was not there at the last search. */
  readonly added: readonly number[];
}

/**
 * A failure affects only this secret: what is remembered of it stays, and the next check looks at it again.
 *
 * @returns undefined if the secret is not on a schedule
 */
async function checkOne(
  secret: ListedSecret,
  watch: Watch | undefined,
  context: CheckContext,
): Promise<Checked | undefined> {
  try {
    const checked = await checkSecret(secret, watch, context);
    return checked && { secret, ...checked };
  } catch (error) {
    console.error(`${secret.name}: ${String(error)}`);
    return { secret, watch, finding: { kind: 'unchecked', reason: String(error) }, news: [], added: [] };
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
    await putOwnEvents(eventBridge, news);
  }
}
